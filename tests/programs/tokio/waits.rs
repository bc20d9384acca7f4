//! A tokio program: timers of the runtime's own wheel above `epoll_wait`, worker threads that park,
//! a blocking pool.
//!
//! `tokio-waits CASE UNIT SLACK`, in seconds; see `python/units.py`.

use std::thread;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{interval, sleep, timeout};

#[path = "../rust/watch.rs"]
mod watch;
use watch::{Watch, units};

async fn timers() {
    let mut watch = Watch::start();
    sleep(units(1)).await;
    watch.expect("sleep", 1);

    watch.restart();
    let gave_up = timeout(units(2), sleep(units(9))).await.is_err();
    watch.expect(&format!("timeout {gave_up}"), 2);

    watch.restart();
    let mut ticks = interval(units(1));
    for _ in 0..4 {
        ticks.tick().await;
    }
    watch.expect("interval, the first tick at once", 3);
}

async fn tasks() {
    let mut watch = Watch::start();
    let (sender, mut receiver) = mpsc::channel(1);
    for n in [3, 1, 2] {
        let sender = sender.clone();
        tokio::spawn(async move {
            sleep(units(n)).await;
            sender.send(n).await.expect("the receiver lives");
        });
    }
    drop(sender);
    let mut order = Vec::new();
    while let Some(n) = receiver.recv().await {
        order.push(n);
    }
    watch.expect(&format!("tasks {order:?}"), 3);

    watch.restart();
    let mut blocking = JoinSet::new();
    for n in [2, 1] {
        blocking.spawn(async move { spawn_blocking(move || thread::sleep(units(n))).await });
    }
    blocking.join_all().await;
    watch.expect("spawn_blocking", 2);
}

async fn sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let wait = stream.read_u8().await.expect("one byte");
                sleep(units(wait.into())).await;
                // The client that gave up is not there any more.
                let _ = stream.write_u8(wait).await;
            });
        }
    });
    let ask = async move |n: u8| {
        let mut stream = TcpStream::connect(address).await.expect("connect");
        stream.write_u8(n).await.expect("write");
        stream.read_u8().await.expect("read")
    };
    let mut watch = Watch::start();
    let answers = tokio::join!(ask(3), ask(1), ask(2));
    watch.expect(&format!("answers {answers:?}"), 3);
    watch.restart();
    let late = timeout(units(1), ask(5)).await.is_err();
    watch.expect(&format!("no answer {late}"), 1);
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    match watch::case().as_str() {
        "timers" => timers().await,
        "tasks" => tasks().await,
        "sockets" => sockets().await,
        case => panic!("no case {case}"),
    }
}
