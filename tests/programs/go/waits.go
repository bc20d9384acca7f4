// Everything that Go waits with, hours each, and what the clocks say of it.
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

var unit = time.Hour

func init() {
	if text := os.Getenv("GUEST_UNIT"); text != "" {
		unit, _ = time.ParseDuration(text)
	}
}

func report(what string, body func()) {
	start := time.Now()
	wall := start.Round(0)
	body()
	monotonic, real := time.Since(start), time.Now().Round(0).Sub(wall)
	fmt.Println(what, int(monotonic/unit), (monotonic-real).Abs() < unit/2)
}

func must(err error) {
	if err != nil {
		fmt.Println("FAIL", err)
		os.Exit(1)
	}
}

func main() {
	report("sleep", func() { time.Sleep(3 * unit) })
	report("timer", func() { <-time.NewTimer(2 * unit).C })
	report("ticker", func() {
		ticker := time.NewTicker(unit)
		for i := 0; i < 4; i++ {
			<-ticker.C
		}
		ticker.Stop()
	})
	report("select", func() {
		var group sync.WaitGroup
		stop := make(chan struct{})
		for i := 0; i < 100; i++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for {
					select {
					case <-time.After(time.Duration(i%7+1) * unit / 4):
					case <-stop:
						return
					}
				}
			}()
		}
		time.Sleep(5 * unit)
		close(stop)
		group.Wait()
	})
	report("deadline", func() {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		go func() {
			conn, err := listener.Accept()
			must(err)
			buffer := make([]byte, 16)
			n, err := conn.Read(buffer)
			must(err)
			time.Sleep(unit)
			conn.Write(buffer[:n])
			time.Sleep(10 * unit)
			conn.Close()
		}()
		conn, err := net.Dial("tcp", listener.Addr().String())
		must(err)
		conn.Write([]byte("hello"))
		buffer := make([]byte, 16)
		conn.SetReadDeadline(time.Now().Add(3 * unit))
		n, err := conn.Read(buffer)
		fmt.Println(string(buffer[:n]), err)
		conn.SetReadDeadline(time.Now().Add(2 * unit))
		_, err = conn.Read(buffer)
		fmt.Println(os.IsTimeout(err))
	})
	report("command", func() {
		seconds := fmt.Sprint(unit.Seconds())
		out, err := exec.Command("bash", "-c", "sleep "+seconds+"; echo dynamic; sleep "+seconds).Output()
		must(err)
		fmt.Print(string(out))
	})
}
