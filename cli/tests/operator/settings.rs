//! Where settings come from, which of them counts, and what is said when they are wrong.

use crate::place::{Place, Run};

/// Value and source of a setting, as `check` shows it.
fn shown(run: &Run, name: &str) -> (String, String) {
    let value = run.json();
    let row = value["settings"].as_array().unwrap().iter().find(|row| row["name"] == name);
    let row = row.unwrap_or_else(|| panic!("{name} is not shown"));
    (row["value"].as_str().unwrap().to_owned(), row["source"].as_str().unwrap().to_owned())
}

fn told(errors: &[[String; 3]], setting: &str, source: &str, problem: &str) {
    let found = errors.iter().any(|[a, b, c]| a == setting && b == source && c.contains(problem));
    assert!(found, "nothing like {setting} ({source}): {problem} in {errors:#?}");
}

fn pair(value: &str, source: &str) -> (String, String) {
    (value.to_owned(), source.to_owned())
}

#[test]
fn a_flag_goes_before_a_variable_before_the_env_file_before_the_file_before_the_default() {
    let place = Place::ready("precedence");
    let (name, variable) = ("access_token_lifetime", "PROOFKEY_ACCESS_TOKEN_LIFETIME");
    let check = |variables: &[(&str, &str)], flags: &[&str]| {
        let run = place.run_with(variables, &[&["check", "--json"], flags].concat()).succeeded();
        shown(&run, name)
    };
    assert_eq!(check(&[], &[]), pair("1h", "default"));
    place.write("proofkey.toml", &format!("{name} = \"10m\"\n{}", crate::place::SETTINGS));
    assert_eq!(check(&[], &[]), pair("10m", "proofkey.toml:1"));
    let env = place.read("proofkey.env");
    place.write_private("proofkey.env", &format!("{env}{variable}=20m\n"));
    assert_eq!(check(&[], &[]), pair("20m", "proofkey.env:5 PROOFKEY_ACCESS_TOKEN_LIFETIME"));
    assert_eq!(check(&[(variable, "30m")], &[]), pair("30m", variable));
    let set = ["--set", "access_token_lifetime=40m"];
    assert_eq!(check(&[(variable, "30m")], &set), pair("40m", "--set access_token_lifetime"));
    let flag = ["--access-token-lifetime", "50m"];
    assert_eq!(check(&[(variable, "30m")], &flag), pair("50m", "--access-token-lifetime"));
}

#[test]
fn an_old_name_counts_in_its_own_unit_and_an_empty_variable_is_not_set() {
    let place = Place::ready("alias");
    let variables = [
        ("OAUTH2_ACCESS_TOKEN_EXPIRE_MINUTES", "15"),
        ("OAUTH2_REFRESH_TOKEN_EXPIRE_DAYS", "7"),
        ("RATE_LIMIT_ENABLED", "false"),
        ("AUDIT_LOG_ENABLED", "False"),
        ("PROOFKEY_GRANT_LIFETIME", ""),
    ];
    let run = place.run_with(&variables, &["check", "--json"]).succeeded();
    assert_eq!(shown(&run, "access_token_lifetime"), pair("15m", "OAUTH2_ACCESS_TOKEN_EXPIRE_MINUTES"));
    assert_eq!(shown(&run, "refresh_token_lifetime"), pair("7d", "OAUTH2_REFRESH_TOKEN_EXPIRE_DAYS"));
    for limit in ["limit_user", "limit_client", "limit_address"] {
        assert_eq!(shown(&run, limit), pair("off", "RATE_LIMIT_ENABLED"));
    }
    assert_eq!(shown(&run, "audit_log"), pair("off", "AUDIT_LOG_ENABLED"));
    assert_eq!(shown(&run, "grant_lifetime"), pair("90d", "default"));
    let run = place.run_with(&[("RATE_LIMIT_ENABLED", "true")], &["check", "--json"]).succeeded();
    assert_eq!(shown(&run, "limit_user"), pair("10/15m", "default"));
}

#[test]
fn a_setting_and_its_old_name_that_differ_are_an_error_and_those_that_agree_are_not() {
    let place = Place::ready("contradiction");
    let check = |variables: &[(&str, &str)]| place.run_with(variables, &["check", "--json"]);
    let minutes = "OAUTH2_ACCESS_TOKEN_EXPIRE_MINUTES";
    check(&[("PROOFKEY_ACCESS_TOKEN_LIFETIME", "900"), (minutes, "15")]).succeeded();
    let run = check(&[("PROOFKEY_ACCESS_TOKEN_LIFETIME", "900"), (minutes, "60")]);
    assert_eq!(run.code, 1);
    told(&run.errors(), "access_token_lifetime", "PROOFKEY_ACCESS_TOKEN_LIFETIME", "says otherwise; unset one of them");
    place.write("proofkey.toml", &format!("limit_user = \"off\"\n{}", crate::place::SETTINGS));
    let run = check(&[("RATE_LIMIT_ENABLED", "true")]);
    told(&run.errors(), "limit_user", "proofkey.toml:1", "RATE_LIMIT_ENABLED");
    check(&[("RATE_LIMIT_ENABLED", "false")]).succeeded();
}

#[test]
fn a_store_goes_before_the_database_of_the_application() {
    let place = Place::ready("database-url");
    let variables = [("DATABASE_URL", "postgresql://crm:hunter2@db/crm")];
    let run = place.run_with(&variables, &["check", "--json"]).succeeded();
    assert_eq!(shown(&run, "store"), pair("sqlite:///auth.db", "proofkey.toml:2"));
    place.write("proofkey.toml", "issuer = \"http://127.0.0.1:1\"\n");
    let run = place.run_with(&variables, &["check", "--json"]);
    assert_eq!(shown(&run, "store"), pair("postgresql://crm:***@db/crm", "DATABASE_URL"));
    told(&run.errors(), "store", "DATABASE_URL", "there is no store for URLs of the scheme \"postgresql\"");
    let run = place.run_with(&[("DATABASE_URL", "sqlite:///crm.db")], &["check", "--json"]).succeeded();
    assert_eq!(shown(&run, "store"), pair("sqlite:///crm.db", "DATABASE_URL"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_setting_source_and_remedy() {
    let place = Place::empty("wrong");
    place.write(
        "proofkey.toml",
        "issuer = \"http://id.example\"\n\
         acess_token_lifetime = 900\n\
         code_lifetime = 601\n\
         listen = \"127.0.0.1:1\"\n\
         encryption_keys = \"x\"\n\
         default_scope = \"nowhere\"\n\
         [serve]\n\
         request_timeout = \"0s\"\n\
         [scopes]\n\
         \"a:b\" = 7\n\
         [[clients]]\n\
         client_id = \"web\"\n\
         redirect_uri = [\"https://crm.example/callback\"]\n\
         [[clients]]\n\
         client_id = \"app\"\n",
    );
    let variables = [("PROOFKEY_PASWORD_COST", "12"), ("PROOFKEY_STORE_ATTEMPTS", "9")];
    let flags = ["check", "--json", "--grant-lifetime", "1d", "--set", "rotation=sometimes", "--set", "sweep"];
    let run = place.run_with(&variables, &flags);
    assert_eq!(run.code, 1);
    let errors = run.errors();
    for (setting, source, problem) in [
        ("issuer", "proofkey.toml:1", "use https"),
        ("acess_token_lifetime", "proofkey.toml:2", "did you mean access_token_lifetime?"),
        ("code_lifetime", "proofkey.toml:3", "it takes: 10 to 600 s"),
        ("listen", "proofkey.toml:4", "it belongs under [serve]"),
        ("encryption_keys", "proofkey.toml:5", "set OAUTH2_ENCRYPTION_KEY in proofkey.env"),
        ("default_scope", "proofkey.toml:6", "add it there"),
        ("request_timeout", "proofkey.toml:8", "it takes: 1 to 60 s"),
        ("scopes.a:b", "proofkey.toml:10", "the text that people read"),
        ("clients.redirect_uri", "proofkey.toml:13", "did you mean redirect_uris?"),
        ("clients", "proofkey.toml:14", "needs a redirect_uri"),
        ("PROOFKEY_PASWORD_COST", "PROOFKEY_PASWORD_COST", "did you mean PROOFKEY_PASSWORD_COST?"),
        ("store_attempts", "PROOFKEY_STORE_ATTEMPTS", "it takes: 1 to 8"),
        ("grant_lifetime", "--grant-lifetime", "raise it, or lower refresh_token_lifetime"),
        ("rotation", "--set rotation", "always, public_clients"),
        ("--set sweep", "", "NAME=VALUE"),
        ("store", "default", "a URL such as sqlite:///auth.db"),
        ("session_keys", "default", "set SECRET_ENCRYPTION_KEY"),
    ] {
        told(&errors, setting, source, problem);
    }
    assert_eq!(errors.len(), 17, "{errors:#?}");
    assert_eq!(shown(&run, "code_lifetime").0, "1m", "out of range is refused, not clamped");
    let serve = place.run_with(&variables, &[&["serve"], &flags[1..]].concat());
    assert_eq!((serve.code, serve.errors()), (1, errors), "serve says what check says");
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_lines() {
    let place = Place::ready("no-toml");
    place.write("proofkey.toml", "issuer = \"http://127.0.0.1:1\"\nstore = \nsweep = \"auto\"\nkey prefix = \"x\"\n");
    let errors = place.run(&["check", "--json"]).errors();
    let places: Vec<&str> = errors.iter().map(|[_, source, _]| source.as_str()).collect();
    assert!(places.contains(&"proofkey.toml:2") && places.contains(&"proofkey.toml:4"), "{errors:#?}");
    let named = place.run(&["check", "--json", "--config", "other.toml", "--env-file", "other.env"]).errors();
    told(&named, "other.toml", "", "`proofkey init` writes one");
    told(&named, "other.env", "", "`proofkey keys generate` makes one");
}

#[test]
fn a_key_that_is_there_twice_is_named() {
    let place = Place::ready("twice");
    place.write("proofkey.toml", "issuer = \"http://127.0.0.1:1\"\n[scopes]\na = \"A\"\n[scopes]\nb = \"B\"\n");
    let errors = place.run(&["check", "--json"]).errors();
    let is_named =
        |[_, source, problem]: &[String; 3]| source == "proofkey.toml:4" && problem.contains("scopes is there twice");
    assert!(errors.iter().any(is_named), "{errors:#?}");
}

#[test]
fn a_key_in_the_file_is_refused_under_the_names_of_its_variables_too() {
    for name in ["OAUTH2_ENCRYPTION_KEY", "PROOFKEY_ENCRYPTION_KEYS"] {
        let place = Place::ready("secret-by-variable");
        place.write("proofkey.toml", &format!("{name} = \"AAAA-secret\"\n"));
        let run = place.run(&["check", "--json"]);
        told(&run.errors(), name, "proofkey.toml:1", "set OAUTH2_ENCRYPTION_KEY in proofkey.env");
        assert!(!format!("{:?}", run.errors()).contains("AAAA-secret"));
    }
}

#[test]
fn nothing_weakens_what_an_https_issuer_demands() {
    let place = Place::ready("https-only");
    for name in ["HTTPS_ONLY", "SECURE_COOKIES"] {
        let https = ["check", "--json", "--issuer", "https://id.example"];
        let run = place.run_with(&[(name, "false")], &https);
        assert_eq!(run.code, 1);
        told(&run.errors(), name, name, "the issuer is https, and nothing weakens that; unset it");
        place.run_with(&[(name, "true")], &https).succeeded();
        place.run_with(&[(name, "false")], &["check", "--json"]).succeeded();
        let run = place.run_with(&[(name, "perhaps")], &["check", "--json"]);
        told(&run.errors(), name, name, "neither true nor false");
    }
}

#[test]
fn variables_that_a_platform_sets_for_a_service_called_proofkey_are_no_settings() {
    let place = Place::ready("service-links");
    let links = [
        ("PROOFKEY_PORT", "tcp://10.0.0.1:8000"),
        ("PROOFKEY_PORT_8000_TCP_ADDR", "10.0.0.1"),
        ("PROOFKEY_SERVICE_HOST", "10.0.0.1"),
    ];
    place.run_with(&links, &["check"]).succeeded();
}

#[test]
fn session_keys_are_counted_and_no_more_is_shown_of_them() {
    let place = Place::ready("session-keys");
    let text = || proofkey::Keys::generate().unwrap().session_text().expose_text().unwrap().to_owned();
    let two = format!("{},{}", text(), text());
    let run = place.run_with(&[("SECRET_ENCRYPTION_KEY", &two)], &["check", "--json"]).succeeded();
    assert_eq!(shown(&run, "session_keys"), pair("2 keys", "SECRET_ENCRYPTION_KEY"));
    assert!(!two.split(',').any(|key| run.stdout.contains(key)));
    place.write_private("proofkey.env", &format!("OAUTH2_ENCRYPTION_KEY={}\nJOB_SECRET=x\n", text()));
    let errors = place.run(&["check", "--json"]).errors();
    told(&errors, "session_keys", "default", "or take authorize out of endpoints");
    place.run(&["check", "--set", "endpoints=token revoke"]).succeeded();
}

#[test]
fn keys_of_later_uses_are_accepted_quietly_and_checked_for_mistakes() {
    let place = Place::ready("later-keys");
    let bad = [("SECRET_ENCRYPTION_KEY", "short"), ("RSA_PRIVATE_KEY_PEM", "-----BEGIN PRIVATE KEY-----\\nAA==")];
    let errors = place.run_with(&bad, &["check", "--json"]).errors();
    told(&errors, "session_keys", "SECRET_ENCRYPTION_KEY", "a key is base64 of 32 bytes");
    told(&errors, "signing_keys", "RSA_PRIVATE_KEY_PEM", "`proofkey keys generate` makes one");
}

#[test]
fn check_never_prints_a_secret_whether_all_is_well_or_not() {
    let place = Place::ready("check-secrets");
    place.write(
        "proofkey.toml",
        &crate::place::SETTINGS.replace("client_secret_env = \"JOB_SECRET\"", "client_secret = \"sesame-opens-it\""),
    );
    let env = place.read("proofkey.env");
    let key = env.lines().find_map(|line| line.strip_prefix("OAUTH2_ENCRYPTION_KEY=")).unwrap();
    let mut printed = String::new();
    for flags in [
        &["check"][..],
        &["check", "--json"],
        &["keys", "list"],
        &["keys", "check"],
        &["check", "--code-lifetime", "1"],
    ] {
        for variables in
            [&[][..], &[("PROOFKEY_ENCRYPTION_KEYS", "other-secret-key")], &[("DATABASE_URL", "x://u:hunter2@h")]]
        {
            let run = place.run_with(variables, flags);
            printed += &(run.stdout + &run.stderr);
        }
    }
    assert!(printed.contains("says") || printed.contains("differs"), "{printed}");
    for secret in [key, &key[..20], "sesame-opens-it", "hunter2", "other-secret-key"] {
        assert!(!printed.contains(secret), "{secret} was printed: {printed}");
    }
    let shared = place.run(&["check", "--json"]).json()["warnings"].to_string();
    assert!(shared.contains("proofkey.toml holds secrets and others may read it"), "{shared}");
}

#[test]
fn check_warns_of_a_memory_store_a_silent_audit_log_and_readable_secrets() {
    let place = Place::ready("warnings");
    let clean = place.run(&["check", "--json"]).succeeded().json()["warnings"].to_string();
    assert!(!clean.contains("memory") && !clean.contains("audit_log") && !clean.contains("chmod"), "{clean}");
    place.write("readable.env", &place.read("proofkey.env"));
    let flags = ["check", "--json", "--store", "memory:", "--audit-log", "off", "--env-file", "readable.env"];
    let warnings = place.run(&flags).succeeded().json()["warnings"].to_string();
    for warning in ["everything is lost", "audit_log is off", "chmod 600 readable.env"] {
        assert!(warnings.contains(warning), "{warning}: {warnings}");
    }
}

#[test]
fn the_page_on_settings_is_the_one_that_the_table_gives() {
    let page = Place::empty("page").run(&["check", "--table"]).succeeded().stdout;
    let committed = include_str!("../../../docs/settings.md");
    assert_eq!(page, committed, "write it anew: proofkey check --table > docs/settings.md");
}

#[test]
fn where_there_are_no_settings_at_all_the_command_that_writes_them_is_named() {
    let place = Place::empty("nothing");
    let run = place.run(&["serve", "--json"]);
    assert_eq!(run.code, 1);
    let told = run.errors();
    for setting in ["encryption_keys", "store", "issuer", "proofkey.toml"] {
        assert!(told.iter().any(|[name, ..]| name == setting), "{setting}: {told:?}");
    }
    assert!(told.iter().any(|[.., text]| text.contains("proofkey init --issuer")), "{told:?}");
}
