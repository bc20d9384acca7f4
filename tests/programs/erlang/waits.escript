%% Every way in which an Erlang program waits: waits.escript CASE UNIT SLACK, in seconds. See python/units.py.
%% Interpreted, not compiled: loading the compiler takes longer than all the rest.
-mode(interpret).

main([Case, Unit, Slack]) ->
    put(unit, round(seconds(Unit) * 1000)),
    put(slack, round(seconds(Slack) * 1000)),
    run(list_to_atom(Case)).

seconds(Text) ->
    case string:to_float(Text) of
        {error, _} -> float(list_to_integer(Text));
        {Value, _} -> Value
    end.

ms(Units) -> Units * get(unit).

restart() -> put(mono, monotonic()), put(wall, wall()).

monotonic() -> erlang:monotonic_time(microsecond).

%% The operating system's clock: the runtime's own wall clock is slewed after it, slowly, on purpose.
wall() -> os:system_time(microsecond).

expect(What, Units) ->
    Mono = monotonic() - get(mono),
    Wall = wall() - get(wall),
    Late = Mono - ms(Units) * 1000,
    Slack = get(slack) * 1000,
    Agreement = max(Slack, 50000),
    Verdict = if
        abs(Wall - Mono) > Agreement -> io_lib:format("wall clock says ~b us, monotonic clock ~b", [Wall, Mono]);
        Late < 0 -> io_lib:format("~b us early", [-Late]);
        Late > Slack -> io_lib:format("~b us late", [Late]);
        true -> "in time"
    end,
    io:format("~s: ~b units, ~s~n", [What, Units, Verdict]).

run(sleep) ->
    restart(),
    timer:sleep(ms(1)),
    expect("timer:sleep", 1),
    restart(),
    receive never -> ok after ms(2) -> ok end,
    expect("receive after", 2);

run(processes) ->
    restart(),
    Self = self(),
    [spawn(fun() -> timer:sleep(Wait), Self ! Name end)
        || {Name, Wait} <- [{three, ms(3)}, {one, ms(1)}, {two, ms(2)}]],
    Order = [receive Name -> Name end || _ <- [1, 2, 3]],
    expect(io_lib:format("messages ~p", [Order]), 3),
    restart(),
    erlang:send_after(ms(2), self(), sent),
    receive sent -> ok end,
    expect("send_after", 2),
    restart(),
    {ok, _} = timer:send_interval(ms(1), tick),
    [receive tick -> ok end || _ <- [1, 2, 3]],
    expect("send_interval", 3);

run(ports) ->
    restart(),
    Done = os:cmd(lists:flatten(io_lib:format("sleep ~.3f; echo done", [ms(2) / 1000]))),
    expect("os:cmd " ++ string:trim(Done), 2),
    {ok, Listener} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, Port} = inet:port(Listener),
    {ok, Client} = gen_tcp:connect({127, 0, 0, 1}, Port, [{active, false}]),
    {ok, Server} = gen_tcp:accept(Listener),
    restart(),
    {error, timeout} = gen_tcp:recv(Client, 1, ms(1)),
    expect("recv timed out", 1),
    Wait = ms(2),
    restart(),
    gen_tcp:controlling_process(Server, spawn(fun() ->
        timer:sleep(Wait),
        gen_tcp:send(Server, "late")
    end)),
    {ok, Data} = gen_tcp:recv(Client, 4, ms(9)),
    expect("recv " ++ Data, 2).
