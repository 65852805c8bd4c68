//! The file `.env` in the working folder: variables for this program alone. The environment of the process is not changed by it, so what
//! it holds is not handed on to other programs.

use std::path::Path;

use super::Error;

/// The variables of a `.env` file; none when there is no such file.
///
/// # Errors
/// When it is there and cannot be read. What cannot be read is not shown, it may be a secret.
pub fn dotenv(file: &Path) -> Result<Vec<(String, String)>, Error> {
    let entries = match dotenvy::from_path_iter(file) {
        Ok(entries) => entries,
        Err(error) if error.not_found() => return Ok(Vec::new()),
        Err(error) => return Err(Error(format!("{}: cannot be read ({})", file.display(), told(&error)))),
    };
    let mut variables = Vec::<(String, String)>::new();
    for entry in entries {
        match entry {
            Ok(variable) => variables.push(variable),
            Err(error) => {
                let after = match variables.last() {
                    Some((name, _)) => format!("after {name}"),
                    None => "at its beginning".to_owned(),
                };
                let (file, told) = (file.display(), told(&error));
                return Err(Error(format!(
                    "{file}: what stands {after} cannot be read ({told}); write NAME=value, and quote a value that \
                     has spaces, # or $"
                )));
            }
        }
    }
    Ok(variables)
}

/// Without the line itself.
fn told(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::Io(error) => error.to_string(),
        _ => "it is no assignment".to_owned(),
    }
}
