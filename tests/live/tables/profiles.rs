//! Tests that credentials come from profiles.

use std::fs;

use kit::endpoint::access_key;

use super::check::Stage;

/// A check with this profile, and no other source of credentials.
fn check_with_profile(stage: &Stage, profile: &str) -> (Option<i32>, String) {
    let config = stage.folder.join("config");
    fs::write(&config, format!("[profile of-test]\nregion = us-east-1\n{profile}")).unwrap();
    let mut command = stage.check(&[]);
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_PROFILE", "of-test");
    command.env("AWS_CONFIG_FILE", config).env("HOME", &stage.folder).env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

pub(crate) fn credential_process(endpoint: &str) {
    let stage = Stage::new("process", endpoint);
    // The stage's tables belong to this access key.
    let key = access_key();
    let script =
        format!(r#"echo '{{"Version":1,"AccessKeyId":"{key}","SecretAccessKey":"local"}}'"#);
    let path = stage.folder.join("credentials.sh");
    fs::write(&path, script).unwrap();
    stage.make_agreeing();
    let profile = format!("credential_process = sh {}\n", path.display());
    let (code, text) = check_with_profile(&stage, &profile);
    assert!(code == Some(0) && text.contains("the tables match it"), "{text}");
    let (code, error) = check_with_profile(&stage, "credential_process = sh -c 'exit 1'\n");
    assert_eq!(code, Some(3));
    assert!(error.contains("\nhelp: sign in again"), "{error}");
}

pub(crate) fn identity_center(endpoint: &str) {
    let stage = Stage::new("sso", endpoint);
    let profile = "\
sso_session = ours
sso_account_id = 123456789012
sso_role_name = reader
[sso-session ours]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
";
    // Nobody has signed in, so there is no token. Without support for such profiles, the error would
    // name a feature of the SDK.
    let (code, error) = check_with_profile(&stage, profile);
    assert_eq!(code, Some(3));
    assert!(error.contains("\nhelp: sign in again"), "{error}");
    assert!(error.contains("token") && !error.contains("feature"), "{error}");
}
