"""asyncio's ways to wait: asynchronous.py CASE UNIT SLACK."""

import asyncio
import sys
import time

from units import UNIT, Watch, run


async def sleep():
    watch = Watch()
    order = []

    async def nap(units):
        await asyncio.sleep(units * UNIT)
        order.append(units)

    await asyncio.gather(nap(3), nap(1), nap(2))
    watch.expect(f"naps ended {order}", 3)
    watch.restart()
    fired = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(UNIT, fired.set_result, "called")
    watch.expect(await fired, 1)


async def wait_for():
    watch = Watch()
    try:
        await asyncio.wait_for(asyncio.sleep(9 * UNIT), UNIT)
    except asyncio.TimeoutError:
        watch.expect("wait_for timed out", 1)
    channel = asyncio.Queue()
    watch.restart()
    asyncio.get_running_loop().call_later(2 * UNIT, channel.put_nowait, "item")
    item = await asyncio.wait_for(channel.get(), 9 * UNIT)
    watch.expect(f"wait_for got {item}", 2)
    async with asyncio.timeout(9 * UNIT):
        watch.restart()
        await asyncio.to_thread(time.sleep, UNIT)
        watch.expect("a thread's sleep", 1)


async def streams():
    async def serve(reader, writer):
        units = int(await reader.readline())
        await asyncio.sleep(units * UNIT)
        writer.write(b"done\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def ask(units):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{units}\n".encode())
        answer = await reader.readline()
        writer.close()
        return units, answer.decode().strip()

    watch = Watch()
    answers = await asyncio.gather(ask(3), ask(1), ask(2))
    watch.expect(f"answers {answers}", 3)
    server.close()


async def subprocesses():
    watch = Watch()
    children = [
        await asyncio.create_subprocess_exec("sleep", str(units * UNIT)) for units in (2, 1)
    ]
    codes = [await child.wait() for child in children]
    watch.expect(f"children {codes}", 2)

    watch.restart()
    code = f"import time; time.sleep({UNIT}); print('from the child')"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()
    watch.expect(output.decode().strip(), 1)

    child = await asyncio.create_subprocess_exec("sleep", str(9 * UNIT))
    watch.restart()
    try:
        await asyncio.wait_for(child.wait(), UNIT)
    except asyncio.TimeoutError:
        child.kill()
    code = await child.wait()
    watch.expect(f"killed {code}", 1)


run(
    {
        name: lambda case=case: asyncio.run(case())
        for name, case in {
            "sleep": sleep,
            "wait-for": wait_for,
            "streams": streams,
            "subprocess": subprocesses,
        }.items()
    }
)
