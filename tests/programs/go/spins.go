// A goroutine that asks again and again, in the way that the argument says, whether another, which sleeps, has done something; and
// how long that was by the clock.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

func main() {
	unit, err := time.ParseDuration(os.Getenv("GUEST_UNIT"))
	if err != nil {
		unit = time.Hour
	}
	ways := map[string]func(){
		"clock":   func() { time.Now() },
		"gosched": runtime.Gosched,
		"both":    func() { time.Now(); runtime.Gosched() },
	}
	ask := ways[os.Args[1]]
	var done int32
	start := time.Now()
	go func() {
		time.Sleep(unit)
		atomic.StoreInt32(&done, 1)
	}()
	for atomic.LoadInt32(&done) == 0 {
		ask()
	}
	fmt.Printf("%s: after %d\n", os.Args[1], int(time.Since(start)/unit))
}
