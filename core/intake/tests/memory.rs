//! Reading takes a few times the memory that a file has, however long its list is.
//!
//! Each file is read by a process of its own, which says what it took at most: Linux knows that.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a file that cannot be read must stop the test"
)]

use assay_intake::components;
use assay_intake::limits::COMPONENTS;
use std::path::Path;
use std::process::Command;

/// Most times the size of a file that reading it may take, the file itself included. What is
/// promised is 6 of the programs, whose allocator takes less for what is small than this one does.
const TIMES: f64 = 6.5;

/// The same of a file in which a component has few bytes: most of it is the list that is made.
const TIMES_OF_SHORT: f64 = 8.0;

/// What names the file to the process that reads it.
const FILE: &str = "ASSAY_MEMORY_FILE";

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The same, as `integrity` has a SHA-512.
const INTEGRITY: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

/// A file of as many components as are read: its name, what stands around them and between two, and
/// one of them, in which `#` stands for its number, `@` for a digest, and `%` for a longer one.
struct Large {
    name: &'static str,
    around: (&'static str, &'static str),
    between: &'static str,
    each: &'static str,
}

const LARGE: &[Large] = &[
    Large {
        name: "Cargo.lock",
        around: ("version = 4\n", ""),
        between: "",
        each: "\n[[package]]\nname = \"a-#\"\nversion = \"1.0.0\"\nsource = \"registry+https://\
            github.com/rust-lang/crates.io-index\"\nchecksum = \"@\"\n",
    },
    Large {
        name: "poetry.lock",
        around: ("", "\n[metadata]\nlock-version = \"2.0\"\n"),
        between: "\n",
        each: "[[package]]\nname = \"a-#\"\nversion = \"1.0.0\"\nfiles = [\n    {file = \
            \"a-#-1.0.0.tar.gz\", hash = \"sha256:@\"},\n]\n\n[package.dependencies]\nb = \"*\"\n",
    },
    Large {
        name: "package-lock.json",
        around: (r#"{"name":"a","lockfileVersion":3,"packages":{"#, "}}"),
        between: ",",
        each: r##""node_modules/a-#":{"version":"1.0.0","resolved":"https://registry.npmjs.org/a-#/-/a-#-1.0.0.tgz","license":"MIT"}"##,
    },
    Large {
        name: "a.cdx.json",
        around: (
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":["#,
            "]}",
        ),
        between: ",",
        each: r##"{"type":"library","bom-ref":"pkg:npm/a-#@1.0.0","name":"a-#","version":"1.0.0","purl":"pkg:npm/a-#@1.0.0","hashes":[{"alg":"SHA-256","content":"@"}]}"##,
    },
    Large {
        name: "a.spdx.json",
        around: (r#"{"spdxVersion":"SPDX-2.3","packages":["#, "]}"),
        between: ",",
        each: r##"{"SPDXID":"SPDXRef-#","name":"a-#","versionInfo":"1.0.0","downloadLocation":"NOASSERTION","checksums":[{"algorithm":"SHA256","checksumValue":"@"}],"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/a-#@1.0.0"}]}"##,
    },
    Large {
        name: "pnpm-lock.yaml",
        around: ("lockfileVersion: '9.0'\n\npackages:\n\n", ""),
        between: "\n",
        each: "  a-#@1.0.0:\n    resolution: {integrity: sha512-%}\n",
    },
    Large {
        name: "bun.lock",
        around: (
            "{\n  \"lockfileVersion\": 1,\n  \"packages\": {\n",
            "\n  }\n}\n",
        ),
        between: "\n",
        each: "    \"a-#\": [\"a-#@1.0.0\", \"\", {}, \"sha512-%\"],\n",
    },
    Large {
        name: "a.cdx.xml",
        around: (
            "<?xml version=\"1.0\"?><bom xmlns=\"http://cyclonedx.org/schema/bom/1.5\">\
                <components>",
            "</components></bom>",
        ),
        between: "",
        each: "<component type=\"library\" bom-ref=\"pkg:npm/a-#@1.0.0\"><name>a-#</name>\
            <version>1.0.0</version><hashes><hash alg=\"SHA-256\">@</hash></hashes>\
            <purl>pkg:npm/a-#@1.0.0</purl></component>",
    },
    Large {
        name: "indented.cdx.xml",
        around: (
            "<?xml version=\"1.0\"?>\n<bom xmlns=\"http://cyclonedx.org/schema/bom/1.5\">\n  \
                <components>\n",
            "  </components>\n</bom>\n",
        ),
        between: "",
        each: "    <component type=\"library\" bom-ref=\"pkg:npm/a-#@1.0.0\">\n      \
            <name>a-#</name>\n      <version>1.0.0</version>\n      <hashes>\n        \
            <hash alg=\"SHA-256\">@</hash>\n      </hashes>\n      \
            <purl>pkg:npm/a-#@1.0.0</purl>\n    </component>\n",
    },
];

impl Large {
    fn text(&self) -> String {
        let each = self.each.replace("@\"", &format!("{DIGEST}\""));
        let each = each.replace(">@<", &format!(">{DIGEST}<"));
        let each = each.replace('%', INTEGRITY);
        let all: Vec<_> = (0..COMPONENTS)
            .map(|number| each.replace('#', &number.to_string()))
            .collect();
        [self.around.0, &all.join(self.between), self.around.1].concat()
    }
}

/// What the system says of this process, in bytes.
fn of_this_process(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    let number: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    number * 1024.0
}

/// Reads the file that it is told of: this is no test, unless by the process of one.
#[test]
fn one_file_is_read() {
    let Some(file) = std::env::var_os(FILE) else {
        return;
    };
    let before = of_this_process("VmRSS:");
    let bytes = std::fs::read(&file).unwrap();
    let found = components::read(&file.to_string_lossy(), &bytes).unwrap();
    let took = of_this_process("VmHWM:") - before;
    assert_eq!(found.list.len(), COMPONENTS);
    println!("\ntimes {}", took / bytes.len() as f64);
}

#[test]
fn a_long_list_takes_a_few_times_its_file() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("assay-memory");
    std::fs::create_dir_all(&folder).unwrap();
    for large in LARGE {
        let path = folder.join(large.name);
        std::fs::write(&path, large.text()).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "one_file_is_read", "--nocapture"])
            .env(FILE, &path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let times = said.lines().find_map(|line| line.strip_prefix("times "));
        let times: f64 = times.unwrap_or_else(|| panic!("{said}")).parse().unwrap();
        let most = match large.name {
            "bun.lock" | "pnpm-lock.yaml" => TIMES_OF_SHORT,
            _ => TIMES,
        };
        assert!(times < most, "{} takes {times:.1} times", large.name);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
