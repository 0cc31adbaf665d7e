using System.CommandLine;
using Engram.ServeBench;

var seconds = new Option<int>("--seconds") { Description = "seconds of each measurement", DefaultValueFactory = _ => 10 };
var connections = new Option<int>("--connections") { Description = "connections at a time", DefaultValueFactory = _ => 64 };
var kind = Kind("network");
var killed = Kind("ridge");
var kills = new Option<int>("--times") { Description = "how many kills", DefaultValueFactory = _ => 100 };
var swaps = new Option<int>("--times") { Description = "how many new versions", DefaultValueFactory = _ => 200 };
var predictions = new Option<int>("--predictions") { Description = "how many predictions", DefaultValueFactory = _ => 1_000_000 };
var feedbacks = new Option<int>("--feedbacks") { Description = "how many feedbacks", DefaultValueFactory = _ => 100_000 };

var load = new Command("load", "Rates and latency over HTTP, idle and while learning; feedback; a new class; predictions in process.") { seconds, connections, kind };
load.SetAction(async result =>
{
    await LoadRun.RunAsync(TimeSpan.FromSeconds(result.GetValue(seconds)), result.GetValue(connections), result.GetValue(kind)!);
    return 0;
});
var kill = new Command("kill", "kill -9 under load: nothing acknowledged is lost, nothing applied twice.") { kills, killed };
kill.SetAction(async result => await KillRun.RunAsync(result.GetValue(kills), result.GetValue(killed)!) ? 0 : 1);
var swap = new Command("swap", "New versions under load: nothing fails, no answer is mixed of two versions.") { swaps, kind };
swap.SetAction(async result => await SwapRun.RunAsync(result.GetValue(swaps), result.GetValue(kind)!) ? 0 : 1);
var soak = new Command("soak", "Many predictions and feedbacks: memory stays flat.") { predictions, feedbacks };
soak.SetAction(async result => await SoakRun.RunAsync(result.GetValue(predictions), result.GetValue(feedbacks)) ? 0 : 1);

return await new RootCommand("What `engram serve` does under load, measured against the built tool in a process of its own.") { load, kill, swap, soak }
    .Parse(args).InvokeAsync();

static Option<string> Kind(string byDefault) =>
    new Option<string>("--kind") { Description = "what the learner is", DefaultValueFactory = _ => byDefault }.AcceptOnlyFromAmong("network", "ridge");
