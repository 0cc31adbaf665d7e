using Engram.ServeBench;

// engram-serve-bench load [seconds] [connections] [ridge|network]    rates and latency, idle and while learning
// engram-serve-bench kill [times]                                    kill -9 under load: nothing lost, nothing twice
var seconds = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 10;
switch (args.FirstOrDefault())
{
    case "load":
        await LoadRun.RunAsync(TimeSpan.FromSeconds(seconds), args.Length > 2 ? int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : 64, args.ElementAtOrDefault(3) ?? "network");
        return 0;
    case "kill":
        return await KillRun.RunAsync(args.Length > 1 ? seconds : 100) ? 0 : 1;
    default:
        Console.Error.WriteLine("expected load [seconds] [connections] [ridge|network], or kill [times]");
        return 2;
}
