//! Checks that the two resources for the function differ only in how its code is deployed.

use super::read;

/// The beginnings of the lines that may differ: code, deployment and comments.
const OF_CODE: [&str; 8] = [
    "#",
    "count",
    "filename",
    "ignore_changes",
    "s3_bucket",
    "s3_key",
    "s3_object_version",
    "source_code_hash",
];

/// Checks that nothing that deploys the code again, which is the placeholder, is changed where cargo
/// deploys it.
pub(crate) fn the_placeholder_is_deployed_once() {
    let file = read("infra/function.tf");
    let (_, ignored) = file.split_once("ignore_changes = [").unwrap();
    let (ignored, _) = ignored.split_once(']').unwrap();
    for argument in ["architectures", "filename", "source_code_hash"] {
        assert!(ignored.split(", ").any(|ignored| ignored == argument), "{argument}: {ignored}");
    }
}

/// Checks that both resources have the same arguments, except for the code.
pub(crate) fn resources_agree() {
    let file = read("infra/function.tf");
    let arguments = |name: &str| -> Vec<String> {
        let opening = format!("resource \"aws_lambda_function\" \"{name}\" {{\n");
        let (_, rest) = file.split_once(&opening).unwrap();
        let (block, _) = rest.split_once("\n}\n").unwrap();
        let block =
            block.replace("  lifecycle {\n", "").replace("s3_key, s3_object_version]\n  }", "");
        let lines = block.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines
            .filter(|line| !line.is_empty() && !OF_CODE.iter().any(|word| line.starts_with(word)))
            .collect()
    };
    let ours = arguments("this");
    assert!(ours.len() > 20);
    assert_eq!(ours, arguments("deployed_by_cargo"));
}
