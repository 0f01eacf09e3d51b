use crate::components::Format::PomXml;
use crate::components::tests::{found, lines, notes, refusal, unidentified};

#[test]
fn other_repositories_are_told() {
    let text = "<project><artifactId>a</artifactId><repositories>\
        <repository><url>https://repo.maven.apache.org/maven2</url></repository>\
        <repository><url>https://u:secret@mvn.test/r</url></repository>\
        </repositories></project>";
    let told = notes(&found(PomXml, text));
    let wanted = "https://mvn.test/r: packages may come from there instead of Maven Central";
    assert_eq!(
        told.lines()
            .filter(|line| line.contains("may come"))
            .collect::<Vec<_>>(),
        [wanted]
    );
}

/// Of repositories with one name Maven takes that of the project; Maven Central has one, too.
#[test]
fn a_repository_with_the_name_of_maven_central_takes_its_place() {
    let repository =
        |id: &str, url: &str| format!("<repository><id>{id}</id><url>{url}</url></repository>");
    let ours = repository("central", " https://u:secret@mvn.test/r ");
    let public = repository("x", "https://repo.maven.apache.org/maven2");
    for (repositories, place) in [
        (ours.clone(), "?repository_url=https:%2F%2Fmvn.test%2Fr"),
        (format!("{public}{ours}"), ""),
        (repository("corp", "https://mvn.test/r"), ""),
        (repository("central", "https://repo1.maven.org/maven2"), ""),
    ] {
        let text = format!(
            "<project><artifactId>d</artifactId><repositories>{repositories}</repositories>\
             <dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>\
             <version>1.0</version></dependency></dependencies></project>"
        );
        let found = found(PomXml, &text);
        assert_eq!(
            lines(&found)[1],
            format!("pkg:maven/g/a@1.0{place} :1"),
            "{text}"
        );
        let told = notes(&found);
        assert_eq!(
            told.contains("takes the place"),
            !place.is_empty(),
            "{told}"
        );
        assert!(!told.contains("secret"), "{told}");
    }
}

#[test]
fn dependencies_have_the_versions_that_the_file_says() {
    let dependency = |name: &str, rest: &str| {
        format!(
            "<dependency><groupId>org.a</groupId><artifactId>{name}</artifactId>{rest}</dependency>\n"
        )
    };
    let text = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><parent><groupId>com.e</groupId>\
         <version>7</version></parent><artifactId>shop</artifactId><properties><v>1.${{m}}</v><m>2</m>\
         <loop>${{loop}}</loop></properties><dependencyManagement><dependencies>{}</dependencies>\
         </dependencyManagement>\n<dependencies>{}{}{}{}{}{}{}{}{}{}</dependencies></project>",
        dependency("b", "<version>3.0</version>"),
        dependency("a", "<version>${v}</version><scope>test</scope>"),
        dependency("b", "<optional>true</optional>"),
        dependency("c", "<version>${project.version}</version>"),
        dependency("d", ""),
        dependency("e", "<version>[1.0,2.0)</version>"),
        dependency("f", "<version>${loop}</version>"),
        dependency("g", "<version>${unknown}</version>"),
        dependency(
            "h",
            "<version>[1.0]</version><classifier>c${m}</classifier><type>zip</type>"
        ),
        dependency("h", "<version>1.0</version><type>test-jar</type>"),
        dependency("h", "<version>1.0</version><classifier>${no}</classifier>"),
    );
    let found = found(PomXml, &text);
    assert_eq!(
        lines(&found),
        [
            "pkg:maven/com.e/shop@7 own :1",
            "pkg:maven/org.a/a@1.2 dev :3",
            "pkg:maven/org.a/b@3.0 optional :4",
            "pkg:maven/org.a/c@7 :5",
            "pkg:maven/org.a/h@1.0?classifier=c2&type=zip :10",
            "pkg:maven/org.a/h@1.0?classifier=tests :11",
        ]
    );
    assert_eq!(unidentified(&found).len(), 5, "{:?}", unidentified(&found));
}

/// Two files of one name are managed apart: the version of one is not that of the other.
#[test]
fn each_file_of_an_artifact_has_the_version_that_is_managed_for_it() {
    let dependency = |rest: &str| {
        format!("<dependency><groupId>g</groupId><artifactId>a</artifactId>{rest}</dependency>")
    };
    let jdk8 = "<classifier>jdk${n}</classifier>";
    let managed = [
        dependency("<version>1.0</version><scope>test</scope>"),
        dependency(&format!("<version>2.0</version>{jdk8}")),
        dependency("<version>3.0</version><type>test-jar</type>"),
        dependency("<version>4.0</version><type>pom</type><scope>import</scope>"),
        dependency("<version>5.0</version><classifier>${unknown}</classifier>"),
    ];
    for (own, said) in [
        ("", "pkg:maven/g/a@1.0 dev :1"),
        ("<type>jar</type><classifier/>", "pkg:maven/g/a@1.0 dev :1"),
        ("<scope>compile</scope>", "pkg:maven/g/a@1.0 :1"),
        (jdk8, "pkg:maven/g/a@2.0?classifier=jdk8 :1"),
        (
            "<type>test-jar</type>",
            "pkg:maven/g/a@3.0?classifier=tests :1",
        ),
        ("<type>zip</type>", ""),
        ("<classifier>${unknown}</classifier>", ""),
    ] {
        let text = format!(
            "<project><artifactId>d</artifactId><properties><n>8</n></properties>\
             <dependencyManagement><dependencies>{}</dependencies></dependencyManagement>\
             <dependencies>{}</dependencies></project>",
            managed.concat(),
            dependency(own)
        );
        let found = found(PomXml, &text);
        assert_eq!(lines(&found)[1..].concat(), said, "{own}");
        assert_eq!(
            found.unidentified.len(),
            usize::from(said.is_empty()),
            "{own}"
        );
    }
}

#[test]
fn what_the_project_says_of_itself_stands_for_itself() {
    let text = |version: &str| {
        format!(
            "<project><parent><groupId>org.p</groupId><artifactId>up</artifactId><version>7\
             </version></parent><artifactId>d</artifactId><version>2.0</version><properties>\
             <project.own.version>3.0</project.own.version><parent.version>9</parent.version>\
             </properties><dependencies><dependency><groupId>${{project.parent.groupId}}</groupId>\
             <artifactId>${{artifactId}}-api</artifactId><version>{version}</version></dependency>\
             </dependencies></project>"
        )
    };
    for (version, said) in [
        ("${project.version}", "2.0"),
        ("${pom.version}", "2.0"),
        ("${version}", "2.0"),
        ("${project.parent.version}", "7"),
        ("${parent.version}", "9"),
        ("${project.own.version}", "3.0"),
    ] {
        let purl = format!("pkg:maven/org.p/d-api@{said} :1");
        assert_eq!(lines(&found(PomXml, &text(version)))[1], purl, "{version}");
    }
    let unsaid = [
        "${project.parent.artifact}",
        "${project.a.version}",
        "${pom}",
    ];
    for version in unsaid {
        assert_eq!(
            found(PomXml, &text(version)).unidentified.len(),
            1,
            "{version}"
        );
    }
}

/// Maven takes such a file as it is, whatever Maven Central has under these coordinates.
#[test]
fn a_file_beside_the_project_is_none_of_maven_central() {
    let dependency = |rest: &str| {
        format!(
            "<dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>{rest}\
             </dependency></dependencies>"
        )
    };
    let local = "<scope>system</scope><systemPath>${basedir}/lib/a-x.jar</systemPath>";
    let version = "<version>1.0</version>";
    let file = "pkg:maven/g/a@1.0?download_url=file:a-x.jar :1";
    for (managed, own, said) in [
        ("", format!("{version}{local}"), file),
        (local, version.to_owned(), file),
        (
            local,
            format!("{version}<scope>compile</scope>"),
            "pkg:maven/g/a@1.0 :1",
        ),
        (
            "",
            format!("{version}<scope> ${{s}} </scope>"),
            "pkg:maven/g/a@1.0?download_url=file: :1",
        ),
    ] {
        let text = format!(
            "<project><artifactId>d</artifactId><properties><s>system</s></properties>\
             <dependencyManagement>{}</dependencyManagement>{}</project>",
            dependency(managed),
            dependency(&own)
        );
        let found = found(PomXml, &text);
        assert_eq!(lines(&found), ["(d) own :1", said], "{text}");
        assert_eq!(
            notes(&found).contains("from local files"),
            said.contains('?')
        );
    }
}

#[test]
fn a_project_has_the_version_that_its_properties_say() {
    for (properties, said) in [
        ("<revision>1.5</revision>", "pkg:maven/c/d@1.5 own :1"),
        ("", "(d) own :1"),
    ] {
        let text = format!(
            "<project><groupId>c</groupId><artifactId>d</artifactId><version>${{revision}}\
             </version><properties>{properties}</properties></project>"
        );
        assert_eq!(lines(&found(PomXml, &text)), [said], "{text}");
    }
}

/// Texts that stand for each other would be of any length.
#[test]
fn what_properties_come_to_is_no_longer_than_a_purl() {
    let of = |length: usize| {
        let text = format!(
            "<project><artifactId>d</artifactId><properties><v>{}</v></properties><dependencies>\
             <dependency><groupId>g</groupId><artifactId>a</artifactId><version>${{v}}\
             </version></dependency></dependencies></project>",
            "1".repeat(length)
        );
        unidentified(&found(PomXml, &text))
    };
    assert_eq!(of(100), [""; 0]);
    let long = of(assay_claims::limits::PURL_BYTES + 1);
    let said = ":1 g:a has a version that the file does not say";
    assert_eq!(long, [said]);
}

#[test]
fn a_comment_does_not_cut_a_text_and_profiles_are_told_of() {
    let dependency = "<dependencies><dependency><groupId>org.a</groupId><artifactId>b\
        </artifactId><version>${v}</version></dependency></dependencies>";
    let text = format!(
        "<project><groupId>c</groupId><artifactId>d</artifactId><version>1<!-- -->2</version>\
         <properties><v>1.0.1<!-- -->5</v></properties>{dependency}\
         <profiles><profile><id>x</id>{dependency}</profile></profiles></project>"
    );
    let found = found(PomXml, &text);
    assert_eq!(
        lines(&found),
        ["pkg:maven/c/d@12 own :1", "pkg:maven/org.a/b@1.0.15 :1"]
    );
    let said = "dependencies of its profiles, which are left out: 1";
    assert!(notes(&found).contains(said), "{}", notes(&found));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, said) in [
        ("<project/>", "x:1: the root is not"),
        (
            "<settings><artifactId>a</artifactId></settings>",
            "x:1: the root is not",
        ),
        ("<project>\n<artifactId>", "x:1: is not XML"),
    ] {
        let error = refusal(PomXml, text);
        assert!(error.starts_with(said), "{error}");
    }
}
