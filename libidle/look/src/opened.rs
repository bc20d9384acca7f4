//! The files of threads, which stay open from look to look.

use crate::process;
use crate::thread::{Files, Thread};
use crate::{ProcLook, Whose};
use engine::procfs::Errno;

/// A number below this one, or below the launcher's, may be the number that a process has in a PID
/// namespace of its own.
const LOW: u32 = 1024;

impl ProcLook {
    /// Does `/proc` show under number `pid` the process that slot `index` means? A slot holds its
    /// process's number as that process sees it. In a PID namespace below the launcher's, the
    /// number names another process here, or none.
    pub(super) fn known(&mut self, index: usize, pid: u32) -> bool {
        let launcher = self.engine.pid;
        // The launcher waits for the end of its budget by a slot of its own.
        if self.whose == Whose::Slots || pid == launcher || self.note(index).ours == pid {
            return true;
        }
        match process::descends(pid, launcher) {
            Ok(yes) => {
                self.note(index).ours = if yes { pid } else { 0 };
                yes
            }
            Err(e) => {
                e.gone() && !(pid < launcher.max(LOW) && process::in_other_namespace(pid, launcher))
            }
        }
    }

    pub(super) fn close_files(&mut self) {
        for index in 0..self.engine.page.high() {
            if self.notes.has(index) {
                self.note(index).files = None;
            }
        }
        self.open = 0;
    }

    /// Calls `open`, and once more with all files closed if there are too many.
    pub(super) fn with_room<T>(&mut self, open: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
        let opened = open();
        if !opened.as_ref().is_err_and(|e| e.full()) {
            return opened;
        }
        self.close_files();
        open()
    }

    /// The files of slot `index`'s thread, or what the look knows without them.
    pub(super) fn open_files(
        &mut self,
        index: usize,
        pid: u32,
        tid: u32,
    ) -> Result<&mut Files, Thread> {
        let same = |files: &Files| (files.pid, files.tid) == (pid, tid);
        if !self.note(index).files.as_ref().is_some_and(same) {
            if !self.known(index, pid) {
                return Err(Thread::Running);
            }
            if self.note(index).files.take().is_none() {
                if self.open >= self.most {
                    self.close_files();
                }
                self.open += 1;
            }
            let now = self.engine.real_now;
            match self.with_room(|| Files::open(pid, tid, now)) {
                Ok(files) => self.note(index).files = Some(files),
                Err(e) => {
                    self.open = self.open.saturating_sub(1);
                    return Err(if e.gone() { Thread::Gone } else { Thread::Running });
                }
            }
        }
        self.note(index).files.as_mut().ok_or(Thread::Running)
    }

    /// Looks at one thread of slot `index`. `since` is a run count from before: the thread must not
    /// have run since, and the look need not read its system call again.
    pub(super) fn thread(
        &mut self,
        index: usize,
        pid: u32,
        tid: u32,
        since: Option<u64>,
    ) -> Thread {
        let mut found =
            self.open_files(index, pid, tid).map_or_else(|e| e, |files| files.look(since));
        if found == Thread::Gone && self.forget(index) {
            // The open files belong to the thread that had this number before.
            found = self.open_files(index, pid, tid).map_or_else(|e| e, |files| files.look(since));
        }
        if matches!(found, Thread::Gone | Thread::Zombie) {
            self.forget(index);
        }
        found
    }

    /// Closes the files of slot `index`'s thread, if they are open.
    pub(super) fn forget(&mut self, index: usize) -> bool {
        let open = self.note(index).files.take().is_some();
        self.open = self.open.saturating_sub(open as usize);
        open
    }
}
