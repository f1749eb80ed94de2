//! Secrets from files: every secret setting `x` may be given as `x_file`, the name of a file that holds it (DPR-5).
//!
//! This is how secrets come from Docker, Kubernetes and Vault's agent: mounted, readable by their owner, never in the
//! environment, where every child process and many a crash report has them.

use std::{fs, io::Read as _, path::Path};

use figment::{
    Figment,
    providers::Serialized,
    value::{Dict, Value},
};

/// The secret settings; `*` stands for any name.
const SECRETS: [&str; 7] = [
    "database.url",
    "shards.*.url",
    "objects.access_key_id",
    "objects.secret_access_key",
    "messages.nats.token",
    "traces.headers.*",
    "vault.token",
];
/// The longest secret.
const MOST_BYTES: u64 = 64 << 10;

/// Whether a setting is a secret one, that a Vault may hold.
pub(crate) fn is_secret(setting: &str) -> bool {
    let matches = |secret: &&str| {
        let (wanted, given) = (secret.split('.'), setting.split('.'));
        wanted.clone().count() == given.clone().count()
            && wanted.zip(given).all(|(wanted, given)| wanted == "*" || wanted == given)
    };
    SECRETS.iter().any(matches)
}

/// The same settings with the files' content in place of their names.
///
/// # Errors
/// A sentence naming the setting: a file that cannot be read, or a secret that is given twice.
pub(crate) fn read_secrets(figment: Figment) -> Result<Figment, String> {
    // What cannot be read at all is said by whoever reads all of it.
    let Ok(mut settings) = figment.extract::<Dict>() else { return Ok(figment) };
    let mut found = false;
    for secret in SECRETS {
        let path: Vec<&str> = secret.split('.').collect();
        found |= replace(&mut settings, &path, "")?;
    }
    // Only then, since mistakes are told with their origin as long as the settings are as they were read.
    Ok(if found { Figment::from(Serialized::defaults(settings)) } else { figment })
}

/// Whether a file was read for the secret at `path` below `settings`.
fn replace(settings: &mut Dict, path: &[&str], above: &str) -> Result<bool, String> {
    let Some((name, below)) = path.split_first() else { return Ok(false) };
    let mut found = false;
    if below.is_empty() {
        let files = settings.keys().filter_map(|key| key.strip_suffix("_file"));
        let names = files.filter(|key| *name == "*" || key == name).map(str::to_owned);
        for name in names.collect::<Vec<_>>() {
            found |= replace_one(settings, &name, above)?;
        }
        return Ok(found);
    }
    for (key, value) in settings.iter_mut().filter(|(key, _)| *name == "*" || key == name) {
        if let Value::Dict(_, inner) = value {
            found |= replace(inner, below, &format!("{above}{key}."))?;
        }
    }
    Ok(found)
}

/// Whether a file was read for the secret `name` among `settings`.
fn replace_one(settings: &mut Dict, name: &str, above: &str) -> Result<bool, String> {
    let Some(file) = settings.remove(&format!("{name}_file")) else { return Ok(false) };
    let setting = format!("{above}{name}");
    if settings.contains_key(name) {
        return Err(format!("{setting} and {setting}_file are both set; keep one"));
    }
    let file = file.as_str().ok_or_else(|| format!("{setting}_file must be the name of a file"))?;
    let secret = read(Path::new(file)).map_err(|cause| format!("{setting}_file: {file} {cause}"))?;
    settings.insert(name.to_owned(), secret.into());
    Ok(true)
}

/// The one line of a file, without its end.
fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text);
    // The error would not say what is in it, but neither that it is no text.
    read.map_err(|_| "cannot be read as text".to_owned())?;
    if text.len() as u64 > MOST_BYTES {
        return Err("is longer than 64 KiB".to_owned());
    }
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() { Err("is empty".to_owned()) } else { Ok(secret.to_owned()) }
}

#[cfg(test)]
mod tests {
    use figment::providers::{Format as _, Toml};

    use super::*;

    fn read_all(text: &str) -> Result<Dict, String> {
        Ok(read_secrets(Figment::from(Toml::string(text)))?.extract().unwrap())
    }

    // DPR-5
    #[test]
    fn every_secret_can_be_read_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "hunter2\r\n").unwrap();
        for secret in SECRETS {
            let key = secret.replace('*', "east");
            let (section, name) = key.rsplit_once('.').unwrap();
            let settings = read_all(&format!("[{section}]\n{name}_file = {file:?}\nother = 1\n")).unwrap();
            let figment = Figment::from(Serialized::defaults(settings));
            assert_eq!(figment.extract_inner::<String>(&key).unwrap(), "hunter2", "{key}");
            assert_eq!(figment.extract_inner::<u8>(&format!("{section}.other")).unwrap(), 1);
            assert!(figment.find_value(&format!("{key}_file")).is_err());
        }
    }

    #[test]
    fn what_cannot_be_is_said_and_no_secret_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let refused = |file: &str, more: &str| {
            let text = format!("[database]\nurl_file = {file:?}\n{more}");
            let refused = read_all(&text).unwrap_err();
            assert!(refused.starts_with("database.url") && !refused.contains("hunter2"), "{refused}");
            refused
        };
        assert!(refused(&folder.path().join("none").display().to_string(), "").contains("No such file"));
        assert!(refused(&file("empty", b"\n\n"), "").ends_with("is empty"));
        assert!(refused(&file("binary", b"hunter2\xff"), "").ends_with("cannot be read as text"));
        assert!(refused(&file("long", &[b'x'; 70_000]), "").ends_with("is longer than 64 KiB"));
        let twice = refused(&file("good", b"hunter2"), "url = \"hunter2\"\n");
        assert_eq!(twice, "database.url and database.url_file are both set; keep one");
        assert!(read_all("[database]\nurl_file = 3\n").unwrap_err().ends_with("must be the name of a file"));
    }
}
