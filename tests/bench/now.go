// now COUNT: ns of processor time a time.Now. Statically linked; processor time is never virtual.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

var sink time.Time

func threadCPU() int64 {
	const threadClock = 3
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

func reads(count int) {
	for i := 0; i < count; i++ {
		sink = time.Now()
	}
}

func main() {
	runtime.LockOSThread()
	count, err := strconv.Atoi(os.Args[1])
	if err != nil || count <= 0 {
		panic("a count")
	}
	reads(count/10 + 1)
	start := threadCPU()
	reads(count)
	fmt.Printf("%.2f\n", float64(threadCPU()-start)/float64(count))
}
