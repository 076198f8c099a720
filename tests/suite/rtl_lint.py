"""Reads SystemVerilog with slang, which prints every warning and error.

Given top modules and files: `TOP... -- FILE...`.
Must not know what the files are for.
"""

import sys

from pyslang import driver

split = sys.argv.index("--")
tops, files = sys.argv[1:split], sys.argv[split + 1 :]
# A cast may be useless for one value of a parameter and needed for another; bits side by side are an array of them.
arguments = ["slang", "-Weverything", "-Wno-useless-cast", "-Wno-packed-array-conv"]
for top in tops:
    arguments += ["--top", top]
reader = driver.Driver()
reader.addStandardArgs()
reader.parseCommandLine(" ".join(arguments + files))
reader.processOptions()
reader.parseAllSources()
reader.reportCompilation(reader.createCompilation(), True)
reader.reportDiagnostics(True)
