//! Java programs. The JVM has threads of its own that wake up twenty times a second, all of which
//! must be waited out.

#[macro_use]
mod programs;

use flux_tests::target_dir;
use std::process::Command;
use std::sync::OnceLock;

/// Compiles the program, once a test process, and gives the command that starts it.
fn command() -> [String; 4] {
    static CLASSES: OnceLock<String> = OnceLock::new();
    let classes = CLASSES.get_or_init(|| {
        let dir = target_dir().join("java");
        let status = Command::new("javac")
            .arg("-d")
            .arg(&dir)
            .arg(programs::path("java/Waits.java"))
            .status()
            .expect("javac is installed");
        assert!(status.success(), "javac failed");
        dir.into_os_string().into_string().expect("UTF-8")
    });
    let command = ["java", "-cp", classes.as_str(), "Waits"];
    command.map(str::to_owned)
}

waits! { command();
    thread_sleep: "sleep" waits 6.0.unit(600.0);
    park_nanos: "park" waits 3.0;
    scheduled_executor: "scheduled" waits 7.0.unit(600.0);
    object_wait: "monitor" waits 5.0.unit(600.0);
    socket: "socket" waits 3.0.unit(600.0);
}
