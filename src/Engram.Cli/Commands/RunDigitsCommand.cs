using System.CommandLine;
using Engram.Evaluation;

namespace Engram.Cli.Commands;

/// <summary><c>engram run digits</c>: its options, and what they must be.</summary>
internal static class RunDigitsCommand
{
    private const int MostThreads = 1024;

    public static Command Build(CliHost host)
    {
        var epochs = OptionOf.Number(
            "--epochs", "Passes over each group of digits, 1 or more; 5 trains to the end.", 1, 1, 100_000);
        var strategies = OptionOf.Text(
            "--strategies", $"Strategies to compare, in order, or all: {string.Join(", ", DigitsOptions.AllStrategies)} "
            + $"[default: {string.Join(",", DigitsOptions.DefaultStrategies)}]", "a,b|all");
        var seed = OptionOf.Number("--seed", "Seed of weights, order and every choice.", 0, 0, long.MaxValue);
        var threads = Threads();
        var output = OptionOf.Text("--out", "Folder to write to [default: runs/digits-<time>]", "DIR");
        var data = Data();
        var quick = OptionOf.Switch("--quick", "Learn from a small balanced part of the data: seconds, not minutes.");
        var json = Json();
        var every = SaveEvery();
        var command = new Command(
            "digits", "Learn handwritten digits in three phases (0-4, then 5-7, then 8 and 9) and compare what is forgotten.")
        {
            epochs, strategies, seed, threads, output, every, data, quick, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed => new ExperimentRun(host, new RunDigitsSettings
        {
            Digits = new DigitsOptions
            {
                Epochs = (int)parsed.GetValue(epochs),
                Seed = parsed.GetValue(seed),
                Strategies = Names(parsed.GetValue(strategies)),
                Quick = parsed.GetValue(quick),
            },
            Threads = (int)parsed.GetValue(threads),
            Out = parsed.GetValue(output),
            Data = parsed.GetValue(data),
            Json = parsed.GetValue(json),
            SaveEvery = TimeSpan.FromSeconds(parsed.GetValue(every)),
        }).Run());
        Examples.Of(command,
            "engram run digits                                   four strategies on all of MNIST, a few minutes",
            "engram run digits --quick                           a first look in seconds",
            "engram run digits --strategies naive,replay --epochs 5 --seed 1",
            "engram run digits --strategies all --out runs/all   every strategy, in a folder of your choice",
            "engram run digits --quick --json | tail -n 1        the results for a machine");
        return command;
    }

    public static Option<long> Threads() => OptionOf.Number(
        "--threads", "Threads that compute; by default one per core.", Environment.ProcessorCount, 1, MostThreads);

    public static Option<string?> Data() => OptionOf.Text(
        "--data", "Folder with the MNIST files [default: data/mnist here or above]", "DIR");

    public static Option<bool> Json() =>
        OptionOf.Switch("--json", "Write events and results as lines of JSON, and nothing else, to standard output.");

    public static Option<long> SaveEvery() => OptionOf.Number(
        "--save-every", "Seconds after which the run keeps its place, also inside a phase.",
        (long)ExperimentCheckpoints.DefaultEvery.TotalSeconds, 0, 86_400);

    private static IReadOnlyList<string> Names(string? list) => list switch
    {
        null => DigitsOptions.DefaultStrategies,
        "all" => DigitsOptions.AllStrategies,
        _ => list.Split(',', StringSplitOptions.TrimEntries),
    };
}
