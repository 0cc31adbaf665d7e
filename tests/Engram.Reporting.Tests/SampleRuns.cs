using Engram.Evaluation;

namespace Engram.Reporting.Tests;

/// <summary>Runs as the digits experiment produces them, with numbers of a realistic size.</summary>
internal static class SampleRuns
{
    public const string HostileLabel = "<script>alert(\"x\")</script> & 'q' 数字\u0001\n";

    private static readonly (string Name, string Title, double Kept)[] s_strategies =
    [
        ("naive", "Naive fine-tuning", 0),
        ("ewc", "Elastic weight consolidation", 0.04),
        ("replay", "Replay (1,000)", 0.93),
        ("joint", "Joint training (upper bound)", 0.99),
        ("lwf", "Learning without forgetting", 0.31),
        ("si", "Synaptic intelligence", 0.02),
        ("mas", "Memory aware synapses", 0.06),
        ("agem", "A-GEM (1,000)", 0.55),
        ("derpp", "Dark experience replay++ (1,000)", 0.955),
        ("icarl", "iCaRL (1,000)", 0.9),
        ("gdumb", "GDumb (1,000)", 0.86),
        ("analytic", "Analytic head (exact)", 0.945),
    ];

    public static RunResults Digits(int strategies = 4) => Of("digits", strategies,
        [new("0-4", ["0", "1", "2", "3", "4"]), new("5-7", ["5", "6", "7"]), new("8-9", ["8", "9"])]);

    public static RunResults Of(string experiment, int strategies, IReadOnlyList<ClassGroup> groups) => new()
    {
        SchemaVersion = RunResults.CurrentSchemaVersion,
        Experiment = experiment,
        Started = new DateTimeOffset(2026, 3, 1, 14, 5, 9, TimeSpan.FromHours(2)),
        Seconds = 754.2,
        Command = $"engram run {experiment} --strategies naive,ewc,replay,joint --seed 42 --epochs 3",
        Settings = new Dictionary<string, string>
        {
            ["strategies"] = "naive, ewc, replay, joint",
            ["seed"] = "42",
            ["epochs"] = "3",
            ["batch"] = "128",
            ["model"] = "small convolutional network, 105,866 parameters",
            ["optimiser"] = "Adam, learning rate 0.001",
        },
        Environment = new Dictionary<string, string>
        {
            ["Engram"] = "0.1.0",
            [".NET"] = "10.0.1",
            ["TorchSharp"] = "0.107.0",
            ["processor"] = "2 cores, x64",
            ["threads"] = "2",
        },
        Groups = groups,
        Strategies = [.. s_strategies.Take(strategies).Select(s => Result(s.Name, s.Title, s.Kept, groups))],
        Meaning =
        [
            "Without protection the model forgot: it kept 0.0 % of the first classes.",
            "Replay of 1,000 samples kept 93 % at 1.6 times the cost of naive training.",
            "Training again from scratch on everything would reach 98.7 %: replay is 4.1 points below.",
        ],
    };

    public static RunResults WithHostileLabels()
    {
        var run = Of(HostileLabel, 2, [new(HostileLabel, ["猫", "<b>dog</b>"]), new("\u202Eevil\" onload=\"x", ["'\">"])]);
        return run with
        {
            Command = HostileLabel,
            Meaning = [HostileLabel],
            Settings = new Dictionary<string, string> { [HostileLabel] = HostileLabel },
            Environment = new Dictionary<string, string> { ["</table>"] = "</style><script>" },
            Strategies =
            [
                .. run.Strategies.Select(s => s with
                {
                    Title = $"{s.Title} {HostileLabel}",
                    Metrics = new Dictionary<string, double>(s.Metrics) { [HostileLabel] = 0.5 },
                }),
            ],
        };
    }

    public static RunResults WithManyGroups(int groups) =>
        Of("many", 3, [.. Enumerable.Range(0, groups).Select(g => new ClassGroup($"group {g}", [$"a{g}", $"b{g}"]))]);

    private static StrategyResult Result(string name, string title, double kept, IReadOnlyList<ClassGroup> groups)
    {
        // Accuracy on group j after group i falls from 99 % geometrically towards what the strategy keeps.
        double Accuracy(int i, int j) => i == j
            ? 0.99 - 0.013 * i
            : Math.Max(0, Math.Min(0.985, (0.99 - 0.02 * (i - j)) * Math.Pow(kept, 0.35 * (i - j) + 0.65) + 0.004 * j));
        int[] groupOf = [.. groups.SelectMany((g, index) => g.Classes.Select(_ => index))];
        double PerClass(int i, int c) => Math.Clamp(Accuracy(i, groupOf[c]) + 0.006 * (c % 3 - 1), 0, 1);
        var matrix = new AccuracyMatrix();
        for (var i = 0; i < groups.Count; i++) matrix.Add([.. Enumerable.Range(0, i + 1).Select(j => Accuracy(i, j))]);
        double[] SoFar() =>
            [.. Enumerable.Range(0, groups.Count).Select(i =>
                Enumerable.Range(0, groupOf.Length).Where(c => groupOf[c] <= i).Average(c => PerClass(i, c)))];
        return new()
        {
            Name = name,
            Title = title,
            Accuracy = [.. matrix.Rows],
            AccuracySoFar = SoFar(),
            AccuracyPerClass =
            [
                .. Enumerable.Range(0, groups.Count).Select(i => Enumerable.Range(0, groupOf.Length)
                    .Where(c => groupOf[c] <= i).Select(c => PerClass(i, c)).ToArray()),
            ],
            Confusion = [.. Enumerable.Range(0, groupOf.Length).Select(t => Confusions(t, PerClass(groups.Count - 1, t)))],
            Metrics = new Dictionary<string, double>
            {
                ["finalAverageAccuracy"] = matrix.FinalAverageAccuracy,
                ["averageIncrementalAccuracy"] = matrix.AverageIncrementalAccuracy,
                ["learningAccuracy"] = matrix.LearningAccuracy,
                ["forgetting"] = matrix.Forgetting,
                ["backwardTransfer"] = matrix.BackwardTransfer,
                ["maximumForgetting"] = matrix.MaximumForgetting,
                ["remembering"] = matrix.Remembering,
                ["stabilityPlasticity"] = matrix.StabilityPlasticity,
                ["macroF1"] = double.NaN,
                ["calibrationError"] = double.NaN,
                ["brier"] = double.NaN,
                ["anytimeAccuracy"] = double.NaN,
            },
            Costs = [.. groups.Select((g, i) => new ExperienceCost(6000L * g.Classes.Count, 21.37 + 9 * kept - i, 1.2 + i, 0.0213 / (i + 1)))],
            MemoryBytes = kept > 0.5 ? 784_000 : 0,
        };

        int[] Confusions(int truth, double accuracy)
        {
            var counts = new int[groupOf.Length];
            counts[truth] = (int)Math.Round(1000 * accuracy);
            var last = truth == groupOf.Length - 1 ? 0 : groupOf.Length - 1;
            counts[last] += 1000 - counts[truth];
            return counts;
        }
    }
}
