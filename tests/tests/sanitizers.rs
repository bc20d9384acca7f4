//! Programs with a sanitizer's runtime, which intercepts the same calls and makes system calls of
//! its own.

mod command;

use command::*;
use flux_tests::{Mode, Run};

/// Waits for four hours, and says so; the memory that another thread has returned is freed twice if
/// there is an argument.
const HOURS: &str = r#"
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int done;
static void *later(void *unused)
{
	(void)unused;
	sleep(3600);
	pthread_mutex_lock(&mutex);
	done = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	return malloc(10);
}
int main(int argc, char **argv)
{
	(void)argv;
	time_t start = time(NULL);
	pthread_t thread;
	void *memory;
	pthread_create(&thread, NULL, later, NULL);
	pthread_mutex_lock(&mutex);
	while (!done)
		pthread_cond_wait(&cond, &mutex);
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, &memory);
	free(memory);
	if (argc > 1)
		free(memory);
	poll(NULL, 0, 3600000);
	pid_t child = fork();
	if (child == 0) {
		sleep(3600);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 3600;
	pthread_mutex_lock(&mutex);
	while (pthread_cond_timedwait(&cond, &mutex, &end) == 0)
		;
	pthread_mutex_unlock(&mutex);
	printf("%ld hours\n", (long)(time(NULL) - start) / 3600);
	return 0;
}
"#;

#[test]
fn four_hours_under_each_sanitizer() {
    for kind in ["address", "thread", "undefined", "leak"] {
        let scratch = Scratch::new(&format!("sanitizer-{kind}"));
        let program = compile(&scratch, &["-pthread", "-g", &format!("-fsanitize={kind}")], HOURS);
        // By the launcher, by a program with the library, and by a traced one.
        let starters = [&[][..], &["env"], &["busybox", "env"]];
        for before in &starters[..if kind == "address" { 2 } else { 3 }] {
            for mode in [Mode::Elapsed, Mode::Frozen] {
                let words: Vec<&str> = before.iter().copied().chain([program.as_str()]).collect();
                let outcome = Run::new(words[0]).args(&words[1..]).mode(mode).within(REAL).run();
                assert_eq!(
                    outcome.assert_success().stdout,
                    "4 hours\n",
                    "{kind}, {mode:?}: {outcome}"
                );
            }
        }
    }
}

#[test]
fn a_sanitizer_still_sees_what_it_is_there_for() {
    let scratch = Scratch::new("sanitizer-finds");
    let program = compile(&scratch, &["-pthread", "-g", "-fsanitize=address"], HOURS);
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = Run::new(&program)
            .arg("twice")
            .env("ASAN_OPTIONS", "exitcode=77")
            .mode(mode)
            .within(REAL)
            .run();
        assert!(outcome.stderr.contains("attempting double-free"), "{mode:?}: {outcome}");
        assert_eq!(outcome.code(), 77, "{mode:?}: {outcome}");
    }
}
