//! Models that keep tensors in files beside them: read as if they had them inside, rebuilt when these files change,
//! and never read from elsewhere. Must not know how files are found.

use std::fs;
use std::os::unix::fs::symlink;

use prost::Message;
use tract_onnx::pb::{ModelProto, StringStringEntryProto, TensorProto};

use super::project::Project;

/// The digits example with all weights in a file, said to be at `location`; returns the bytes of the file.
fn moved(project: &Project, location: &str) -> Vec<u8> {
    let path = project.dir().join("model.onnx");
    let mut model = ModelProto::decode(&*fs::read(&path).unwrap()).unwrap();
    let mut data = vec![0; 16];
    let graph = model.graph.as_mut().unwrap();
    for tensor in graph
        .initializer
        .iter_mut()
        .filter(|tensor| tensor.dims.len() > 1)
    {
        move_out(tensor, location, &mut data);
    }
    assert!(data.len() > 1000);
    fs::write(path, model.encode_to_vec()).unwrap();
    data
}

fn move_out(tensor: &mut TensorProto, location: &str, data: &mut Vec<u8>) {
    let floats = std::mem::take(&mut tensor.float_data);
    tensor
        .raw_data
        .extend(floats.iter().flat_map(|value| value.to_le_bytes()));
    let bytes = std::mem::take(&mut tensor.raw_data);
    let entries = [
        ("location", location.to_owned()),
        ("offset", data.len().to_string()),
        ("length", bytes.len().to_string()),
    ];
    tensor.external_data = entries
        .map(|(key, value)| StringStringEntryProto {
            key: key.into(),
            value,
        })
        .into();
    tensor.data_location = Some(1);
    data.extend(bytes);
}

#[test]
fn weights_beside_the_model_are_weights() {
    let inside = Project::example("digits");
    inside.build(&["--to", "verify"]).expect_success();
    let project = Project::example("digits");
    let data = moved(&project, "./weights/model.bin");
    fs::create_dir(project.dir().join("weights")).unwrap();
    let file = project.dir().join("weights/model.bin");
    fs::write(&file, &data).unwrap();
    project.build(&["--to", "verify"]).expect_success();
    for name in [
        "network/graph.json",
        "network/constants.safetensors",
        "sim/f32.json",
    ] {
        assert!(project.built()[name] == inside.built()[name], "{name}");
    }
    let again = project.build(&["--to", "verify"]).expect_success();
    assert_eq!(again.ran(), Vec::<String>::new());
    let command = project.command(&["import"]).output().unwrap();
    assert_eq!(command.status.code(), Some(0), "{command:?}");
    // The file is part of what the import reads.
    let mut other = data.clone();
    let last = other.len() - 1;
    other[last] ^= 0x80;
    fs::write(&file, &other).unwrap();
    let changed = project.build(&["--to", "import"]).expect_success();
    assert_eq!(changed.ran(), ["import network"]);
    for (bytes, said) in [(&data[..data.len() - 1], "which has"), (&[], "which has")] {
        fs::write(&file, bytes).unwrap();
        let call = project.build(&["--to", "import"]);
        assert_eq!(call.code, 2);
        assert!(
            call.finished().to_string().contains(said),
            "{:?}",
            call.finished()
        );
    }
    fs::remove_file(&file).unwrap();
    let call = project.build(&["--to", "import"]);
    assert_eq!(call.code, 2);
    assert!(
        call.finished().to_string().contains("not there"),
        "{:?}",
        call.finished()
    );
}

#[test]
fn nothing_outside_the_folder_is_read() {
    for location in [
        "../secret",
        "/etc/passwd",
        "a/../../secret",
        "link",
        "folder/secret",
        "",
        "..",
        "up",
    ] {
        let project = Project::example("digits");
        let data = moved(&project, location);
        fs::write(project.dir().join("../secret"), &data).unwrap();
        symlink("../secret", project.dir().join("link")).unwrap();
        symlink("..", project.dir().join("folder")).unwrap();
        fs::create_dir(project.dir().join("up")).unwrap();
        let call = project.build(&["--to", "import"]);
        assert_eq!(call.code, 2, "{location}");
        let said = call.finished().to_string();
        assert!(
            said.contains("the model keeps tensors in"),
            "{location}: {said}"
        );
        assert!(call.ran().is_empty());
    }
}
