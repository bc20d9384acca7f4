//! Real programs under libidle.so: once started each comes to rest, and no request goes by
//! unnoticed.

mod programs;

use flux_tests::{Tracked, target_dir};
use programs::{Scratch, path, python};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const REQUESTS: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(60);

/// The program rests after its start. From rest, each request is answered, and by then the number
/// has moved.
fn check(tracked: &Tracked, mut request: impl FnMut()) {
    request();
    let mut before = tracked.rest_past(0).number;
    for nth in 0..REQUESTS {
        request();
        let after = tracked.rest_past(0).number;
        assert!(after > before, "request {nth} was missed: {before}, then {after}");
        before = after;
    }
}

/// Asked to end, it does; then it is idle for good.
fn finish(mut tracked: Tracked, signal: i32) {
    tracked.signal(signal);
    tracked.end();
    let number = tracked.rests().expect("a program that has ended is idle").number;
    assert_eq!(tracked.rests().expect("for good").number, number);
}

fn first_line(tracked: &mut Tracked) -> (String, BufReader<ChildStdout>) {
    let mut reader = BufReader::new(tracked.child.stdout.take().expect("piped"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    (line.trim().to_owned(), reader)
}

/// Until somebody listens.
fn connect<C>(mut attempt: impl FnMut() -> std::io::Result<C>) -> C {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(connection) => return connection,
            Err(e) => assert!(start.elapsed() < PATIENCE, "nobody listens: {e}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends these bytes and expects those.
fn exchange(connection: &mut (impl Read + Write), question: &str, answer: &str) {
    connection.write_all(question.as_bytes()).expect("sent");
    let mut got = vec![0; answer.len()];
    connection.read_exact(&mut got).expect("answered");
    assert_eq!(String::from_utf8_lossy(&got), answer);
}

/// A request of HTTP/1.0, which ends the connection.
fn fetch(port: u16) {
    let mut connection = connect(|| TcpStream::connect(("127.0.0.1", port)));
    connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("answered");
    assert!(answer.lines().next().is_some_and(|line| line.contains(" 200 ")), "{answer}");
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

#[test]
fn python_http_server() {
    let scratch = Scratch::new();
    let port = free_port();
    let mut command = Command::new(python());
    command
        .args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()])
        .current_dir(scratch.file(""));
    let tracked = Tracked::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    check(&tracked, || fetch(port));
    finish(tracked, libc::SIGINT);
}

#[test]
fn node_http_server() {
    let script = "require('http').createServer((request, answer) => answer.end('here'))\
                  .listen(0, '127.0.0.1', function () { console.log(this.address().port) })";
    let mut tracked =
        Tracked::start(Command::new("node").args(["-e", script]).stdout(Stdio::piped()));
    let (line, _stdout) = first_line(&mut tracked);
    let port = line.parse().expect("a port");
    check(&tracked, || fetch(port));
    finish(tracked, libc::SIGTERM);
}

#[test]
fn java_echo_server() {
    let classes = target_dir().join("java");
    let mut compile = Command::new("javac");
    let compiled = compile
        .arg("-d")
        .arg(&classes)
        .arg(path("java/Echo.java"))
        .status()
        .expect("javac is installed");
    assert!(compiled.success(), "javac failed");
    let mut tracked = Tracked::start(
        Command::new("java").arg("-cp").arg(&classes).arg("Echo").stdout(Stdio::piped()),
    );
    let (line, _stdout) = first_line(&mut tracked);
    let mut connection =
        TcpStream::connect(("127.0.0.1", line.parse().expect("a port"))).expect("it listens");
    connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
    check(&tracked, || exchange(&mut connection, "hello\n", "hello\n"));
    drop(connection);
    assert!(tracked.end().success());
    tracked.rests().expect("a program that has ended is idle");
}

#[test]
fn redis_server() {
    let scratch = Scratch::new();
    let socket = scratch.file("socket");
    let options = ["--port", "0", "--unixsocket", &socket, "--save", "", "--appendonly", "no"];
    let mut command = Command::new("redis-server");
    let tracked =
        Tracked::start(command.args(options).current_dir(scratch.file("")).stdout(Stdio::null()));
    let mut connection = connect(|| UnixStream::connect(&socket));
    connection.set_read_timeout(Some(PATIENCE)).expect("a socket");
    check(&tracked, || exchange(&mut connection, "PING\r\n", "+PONG\r\n"));
    finish(tracked, libc::SIGTERM);
}

#[test]
fn nginx_and_its_worker() {
    let scratch = Scratch::new();
    let port = free_port();
    let configuration = format!(
        "daemon off; worker_processes 1; pid nginx.pid; error_log stderr; events {{ }}\n\
         http {{ access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4;\n\
         scgi_temp_path t5; server {{ listen 127.0.0.1:{port}; location / {{ return 200 here; }} }} }}\n"
    );
    fs::write(scratch.file("nginx.conf"), configuration).expect("written");
    let mut command = Command::new("nginx");
    command
        .args(["-p", &scratch.file(""), "-c", "nginx.conf"])
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let tracked = Tracked::start(command.stderr(Stdio::null()));
    check(&tracked, || fetch(port));
    finish(tracked, libc::SIGQUIT);
}

/// What runs a command as the user `postgres`, which must not be root.
fn as_postgres(program: &str) -> Command {
    let folders = fs::read_dir("/usr/lib/postgresql").expect("postgresql is installed");
    let newest = folders.map(|folder| folder.expect("readable").path()).max().expect("a version");
    let program = newest.join("bin").join(program);
    // SAFETY: only asks.
    if unsafe { libc::geteuid() } != 0 {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

#[test]
fn postgresql_and_its_processes() {
    let scratch = Scratch::new();
    let folder = scratch.file("");
    let owner = Command::new("chown").args(["postgres", &folder]).status().expect("chown");
    // SAFETY: only asks.
    assert!(owner.success() || unsafe { libc::geteuid() } != 0);
    let data = scratch.file("data");
    let made = as_postgres("initdb")
        .args(["--no-sync", "--auth=trust", "--username=postgres", "-D", &data])
        .output();
    let made = made.expect("initdb starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut server = as_postgres("postgres");
    server.args(["-D", &data, "-k", &folder, "-c", "listen_addresses=", "-c", "fsync=off"]);
    let tracked = Tracked::start(server.current_dir(&folder).stderr(Stdio::null()));
    // It listens long before it is ready; at rest it is.
    connect(|| UnixStream::connect(scratch.file(".s.PGSQL.5432")));
    tracked.rest_past(0);
    let mut client = as_postgres("psql");
    client
        .args(["-XAtq", "-h", &folder, "-U", "postgres", "postgres"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut client = client.spawn().expect("psql starts");
    let mut questions = client.stdin.take().expect("piped");
    let mut answers = BufReader::new(client.stdout.take().expect("piped"));
    check(&tracked, || {
        questions.write_all(b"select 6 * 7;\n").expect("asked");
        let mut answer = String::new();
        answers.read_line(&mut answer).expect("answered");
        assert_eq!(answer, "42\n");
    });
    drop(questions);
    assert!(client.wait().expect("our child").success());
    finish(tracked, libc::SIGINT);
}
