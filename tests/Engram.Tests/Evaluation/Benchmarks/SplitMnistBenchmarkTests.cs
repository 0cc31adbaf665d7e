using System.Text.Json.Nodes;
using Engram.Evaluation;
using Engram.Evaluation.Benchmarks;
using Engram.Learning;

namespace Engram.Tests.Evaluation.Benchmarks;

public class SplitMnistBenchmarkTests
{
    private static readonly TrainAndTest s_data = new(TestData.Mnist.Train, TestData.Mnist.Test);
    private static readonly Benchmark s_benchmark = BenchmarkList.Named("split-mnist");

    public static TheoryData<string, Scenario> Cells
    {
        get
        {
            var cells = new TheoryData<string, Scenario>();
            foreach (var method in s_benchmark.Methods)
                foreach (var scenario in method.Scenarios) cells.Add(method.Name, scenario);
            return cells;
        }
    }

    [Theory, MemberData(nameof(Cells))]
    public void Every_method_runs_in_every_scenario_it_names_and_measures_all_contexts(string method, Scenario scenario)
    {
        var result = s_benchmark.Run(new BenchmarkCell("split-mnist", scenario, method, 1, Iterations: 3, PerClass: 20), s_data)!;

        Assert.Equal(5, result.Accuracy[^1].Length);
        Assert.All(result.Accuracy[^1], accuracy => Assert.InRange(accuracy, 0, 1));
        var joint = method == "joint";
        Assert.Equal(joint ? 1 : 5, result.Costs.Count);
        // Dropped last batches: 20 samples of each of 2 digits are one batch of 40 each time.
        Assert.Equal(joint ? 15 * 128 : 3 * 40, result.Costs[0].Samples);
    }

    [Fact]
    public void Seed_0_keeps_the_digits_in_order_and_other_seeds_deal_them_anew()
    {
        string[] Names(long seed) => [.. s_benchmark.Stream(s_data, Scenario.ClassIncremental, seed).Experiences.Select(context => context.Name)];
        Assert.Equal(["0, 1", "2, 3", "4, 5", "6, 7", "8, 9"], Names(0));
        Assert.NotEqual(Names(0), Names(1));
        Assert.NotEqual(Names(1), Names(2));
        Assert.Equal(Names(1), Names(1));
        Assert.Equal(Enumerable.Range(0, 10).Select(digit => $"{digit}"), Names(7).SelectMany(name => name.Split(", ")).Order());
    }

    [Fact]
    public void A_cell_stopped_and_gone_on_with_equals_one_that_was_not()
    {
        using var folder = new Persistence.TemporaryFolder();
        var cell = new BenchmarkCell("split-mnist", Scenario.ClassIncremental, "er", 0, Iterations: 3, PerClass: 20);
        var expected = s_benchmark.Run(cell, s_data)!;
        using (var stop = new CancellationTokenSource())
        using (var checkpoints = new ExperimentCheckpoints(folder["cell"]))
            Assert.Null(s_benchmark.Run(cell, s_data, new StopAtPhase(2, stop), checkpoints, stop.Token));
        using var again = new ExperimentCheckpoints(folder["cell"]);
        Assert.Equal(expected.Accuracy, s_benchmark.Run(cell, s_data, null, again)!.Accuracy);
    }

    [Fact]
    public void A_cell_has_the_same_key_whenever_it_is_the_same_and_another_otherwise()
    {
        var cell = new BenchmarkCell("split-mnist", Scenario.TaskIncremental, "ewc", 3);
        Assert.Equal(cell.Key, (cell with { }).Key);
        Assert.StartsWith("split-mnist-task-ewc-3-", cell.Key, StringComparison.Ordinal);
        Assert.NotEqual(cell.Key, (cell with { Seed = 4 }).Key);
        Assert.NotEqual(cell.Key, (cell with { Iterations = 4 }).Key);
        Assert.NotEqual(cell.Key, (cell with { Data = "other files" }).Key);
        Assert.NotEqual(cell.Key, (cell with { Reader = "other sources" }).Key);
        Assert.DoesNotContain("+", (cell with { Method = "der++" }).Key, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_compares_finished_cells_with_the_paper_unless_the_protocol_was_shortened()
    {
        var result = s_benchmark.Run(new BenchmarkCell("split-mnist", Scenario.ClassIncremental, "none", 0, 2, 20), s_data)!;
        CellResult Cell(long seed, double accuracy, int? iterations) => new(
            new BenchmarkCell("split-mnist", Scenario.ClassIncremental, "none", seed, iterations), "1", "sources", $"processor {seed}", 2, accuracy, result);

        var table = BenchmarkTable.Of(s_benchmark, [Cell(1, 20.9, null), Cell(0, 20.7, null)], "engram bench split-mnist", (cell, seeds) => $"{cell.Method} {seeds}");
        var entry = Assert.Single(table.Entries);
        Assert.Equal([20.7, 20.9], entry.Accuracies);
        Assert.Equal((20.8, Verdict.Above, 19.89), (Math.Round(entry.Measured.Mean, 9), entry.Verdict, entry.Published!.Mean));
        Assert.Equal("none 2", entry.Command);
        Assert.Equal(100 * result.Metrics["backwardTransfer"], entry.Transfer!.Measured.Mean, 1e-9);
        Assert.Equal("processor 0, processor 1", table.Environment["processor"]);
        Assert.Equal("sources", table.Environment["sources"]);
        Assert.Equal(2, entry.Asked);
        Assert.Equal(table.ToJson(), BenchmarkTable.FromJson(table.ToJson()).ToJson());
        Assert.Throws<FormatException>(() => BenchmarkTable.FromJson(table.ToJson().Replace("\"asked\": 2", "\"asked\": 1", StringComparison.Ordinal)));
        Assert.Throws<FormatException>(() => BenchmarkTable.FromJson(table.ToJson().Replace("20.9", "", StringComparison.Ordinal)));

        var shortened = BenchmarkTable.Of(s_benchmark, [Cell(0, 20, 5)], "", (_, _) => "");
        Assert.True(shortened.IsShort);
        Assert.Null(shortened.Entries[0].Published);
    }

    [Fact]
    public void An_entry_is_of_the_seeds_that_its_command_computes_and_tells_how_many_were_asked_for()
    {
        var result = s_benchmark.Run(new BenchmarkCell("split-mnist", Scenario.ClassIncremental, "none", 0, 2, 20), s_data)!;
        BenchmarkCell Cell(string method, long seed) => new("split-mnist", Scenario.ClassIncremental, method, seed);
        BenchmarkCell[] asked = [.. from seed in Enumerable.Range(0, 5) from method in new[] { "none", "er", "der++" } select Cell(method, seed)];
        // Of none, seed 2 is missing; of er and der++, the first one.
        CellResult[] finished = [.. asked.Where(cell => cell.Seed != (cell.Method == "none" ? 2 : 0))
            .Select(cell => new CellResult(cell, "1", "sources", cell.Method, 10, 20 + cell.Seed, result))];

        var table = BenchmarkTable.Of(s_benchmark, finished, "", (cell, seeds) => $"{cell.Method} --seeds {seeds}", asked);

        var entry = Assert.Single(table.Entries);
        Assert.Equal((2, 5, "none --seeds 2", 20.5), (entry.Measured.Seeds, entry.Asked, entry.Command, entry.Measured.Mean));
        Assert.Equal([0L, 1], entry.Seeds);
        Assert.Equal((20, "none"), (table.CellSeconds, table.Environment["processor"]));
        Assert.Contains(new MissingEntry("ER (100 per class)", Scenario.ClassIncremental), table.Missing);
        Assert.Contains(new MissingEntry("DER++", Scenario.ClassIncremental), table.Missing);
        Assert.Throws<ArgumentException>(() => BenchmarkTable.Of(s_benchmark, [.. finished.Where(cell => cell.Cell.Seed > 0)], "", (_, _) => "", asked));
    }

    [Theory]
    [InlineData("accuracy", "150", "accuracy: 150, expected ")]
    [InlineData("accuracy", "[]", "accuracy: a list, expected a number (line 1)")]
    [InlineData("result", "{}", "accuracySoFar")]
    [InlineData("result", null, "result")]
    public void A_cell_is_read_only_where_its_numbers_are_possible_and_fit_together(string field, string? value, string expected)
    {
        var cell = new BenchmarkCell("split-mnist", Scenario.ClassIncremental, "none", 0, 2, 20);
        var json = CellResult.Of(cell, 1, s_benchmark.Run(cell, s_data)!).ToJson();
        Assert.Equal(cell, CellResult.FromJson(json).Cell);
        var damaged = JsonNode.Parse(json)!;
        damaged[field] = value is null ? null : JsonNode.Parse(value);
        Assert.Contains(expected, Assert.Throws<FormatException>(() => CellResult.FromJson(damaged.ToJsonString())).Message, StringComparison.Ordinal);
        damaged = JsonNode.Parse(json)!;
        damaged["result"]!["accuracy"] = JsonNode.Parse("[]");
        Assert.Contains("result.accuracy: empty", Assert.Throws<FormatException>(() => CellResult.FromJson(damaged.ToJsonString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_method_or_benchmark_is_named()
    {
        Assert.Contains("\"magic\"", Assert.Throws<ArgumentException>(() => s_benchmark.Method("magic")).Message, StringComparison.Ordinal);
        Assert.Contains("split-mnist", Assert.Throws<ArgumentException>(() => BenchmarkList.Named("magic")).Message, StringComparison.Ordinal);
        Assert.Equal("DER++", s_benchmark.Method("der++").Title);
    }

    private sealed class StopAtPhase(int phase, CancellationTokenSource stop) : IProgress<ExperimentProgress>
    {
        public void Report(ExperimentProgress value)
        {
            if (value.Phase == phase) stop.Cancel();
        }
    }
}
