using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Engram.Evaluation;
using Engram.Persistence;

namespace Engram.Cli.Tests;

public class RunDigitsTests
{
    private static readonly string[] s_files = ["settings.json", "results.json", "report.html", "accuracy.png", "matrix.png"];

    [Fact]
    public void A_quick_run_writes_everything_and_replay_keeps_what_naive_forgets()
    {
        using var folder = new Folder();

        var outcome = Terminal.Run(
            "run", "digits", "--quick", "--strategies", "naive,replay", "--seed", "5", "--threads", "1", "--out", folder["run"]);

        Assert.True(outcome.Code == ExitCode.Success, outcome.Error);
        Assert.All(s_files, name => Assert.True(new FileInfo(folder["run/" + name]).Length > 0, name));
        Assert.Empty(Directory.GetFiles(folder["run"], "*.tmp"));
        var results = RunResults.FromJson(File.ReadAllText(folder["run/results.json"]));
        var (naive, replay) = (results.Strategies[0], results.Strategies[1]);
        Assert.Equal(("naive", "replay"), (naive.Name, replay.Name));
        Assert.True(naive.Accuracy[0][0] > 0.9, "the first digits are learnt");
        Assert.True(naive.Accuracy[2][0] < 0.1, "and forgotten without protection");
        Assert.True(replay.Accuracy[2][0] > naive.Accuracy[2][0] + 0.3, "replay keeps them");
        Assert.True(replay.AccuracySoFar[2] > naive.AccuracySoFar[2] + 0.3);
        Assert.Equal(1000, naive.Confusion.Sum(row => row.Sum()));
        Assert.All(naive.AccuracyPerClass[2], accuracy => Assert.InRange(accuracy, 0, 1));
        Assert.Null(results.Unfinished);
        Assert.Contains(results.Meaning, sentence => sentence.Contains("forgot them almost wholly", StringComparison.Ordinal));

        Assert.DoesNotContain("\u001b", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("Strategy", outcome.Out, StringComparison.Ordinal);
        Assert.All(s_files, name => Assert.Contains(name, outcome.Out, StringComparison.Ordinal));
        Assert.DoesNotContain(Environment.UserName + "@", File.ReadAllText(folder["run/results.json"]), StringComparison.Ordinal);
        Assert.DoesNotContain(folder.Path, File.ReadAllText(folder["run/results.json"]), StringComparison.Ordinal);
        AssertTold(folder["run/models/naive"], naive);
    }

    // The bundle says what it learnt, how and how well, and inspect shows it.
    private static void AssertTold(string bundle, StrategyResult result)
    {
        var lineage = Bundle.Describe(bundle).Lineage;
        Assert.Equal(result.Metrics["finalAverageAccuracy"], lineage.Metrics["finalAverageAccuracy"]);
        Assert.StartsWith($"digits: {result.Accuracy.Length} experience(s), ", lineage.Data, StringComparison.Ordinal);
        Assert.Equal("5", lineage.Settings["seed"]?.ToString());
        Assert.Equal(result.Accuracy[^1], lineage.History!.Select(part => part.AccuracyNow!.Value));
        Assert.NotNull(lineage.Saved);
        var shown = Terminal.Run("inspect", bundle);
        Assert.Equal((ExitCode.Success, ""), (shown.Code, shown.Error));
        var words = string.Join(' ', shown.Out.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        foreach (var text in (string[])[$"Engram {lineage.CodeVersion}", "no other bundle", lineage.Data!, "setting seed 5", "finalAverageAccuracy", "% now"])
            Assert.Contains(text, words, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_gives_one_object_a_line_and_the_results_last()
    {
        using var folder = new Folder();

        var outcome = Terminal.Run(
            "run", "digits", "--quick", "--strategies", "naive", "--threads", "1", "--json", "--out", folder["run"]);

        var lines = outcome.JsonLines;
        Assert.Equal(ExitCode.Success, outcome.Code);
        Assert.Equal("start", (string)lines[0]["event"]!);
        Assert.Equal(3, lines.Count(line => (string)line["event"]! == "phase"));
        var fractions = lines.Where(line => line["fraction"] is not null).Select(line => (double)line["fraction"]!).ToArray();
        Assert.Equal(fractions.Order(), fractions);
        Assert.Equal("results", (string)lines[^1]["event"]!);
        var results = RunResults.FromJson(lines[^1]["results"]!.ToJsonString());
        Assert.Equal(File.ReadAllText(folder["run/results.json"]).Trim(), results.ToJson());
        Assert.All(lines[^1]["files"]!.AsArray(), file => Assert.True(Path.Exists((string)file!)));
        Assert.Equal(0, (int)JsonNode.Parse(File.ReadAllText(folder["run/settings.json"]))!["seed"]!);
    }

    [Fact]
    public void A_terminal_sees_bars_while_it_runs_and_the_table_at_the_end()
    {
        using var folder = new Folder();

        var (code, screen) = Terminal.RunLive(
            "run", "digits", "--quick", "--strategies", "naive", "--threads", "1", "--out", folder["run"]);

        Assert.True(code == ExitCode.Success, screen);
        Assert.Contains("━", screen, StringComparison.Ordinal);
        Assert.Contains("to go", screen, StringComparison.Ordinal);
        Assert.Contains("samples/s", screen, StringComparison.Ordinal);
        Assert.Contains("Strategy", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pipe_gets_no_escape_sequences_even_where_the_environment_asks_for_colours()
    {
        using var folder = new Folder();

        var outcome = Terminal.Start(
            Terminal.Program, folder.Path, "run", "digits", "--quick", "--strategies", "naive", "--threads", "1",
            "--data", Commands.DataFolder.Find()!);

        Assert.True(outcome.Code == ExitCode.Success, outcome.Error);
        Assert.DoesNotContain("\u001b", outcome.Out + outcome.Error, StringComparison.Ordinal);
        Assert.Contains("97", outcome.Out.Split('\n').First(line => line.StartsWith("naive", StringComparison.Ordinal) && line.Contains("all so far", StringComparison.Ordinal)));
        Assert.StartsWith("digits-", Path.GetFileName(Assert.Single(Directory.GetDirectories(folder["runs"]))));
    }

    [Theory]
    [InlineData("INT", ExitCode.Interrupted)]
    [InlineData("TERM", ExitCode.Terminated)]
    public async Task A_signal_ends_a_real_run_with_its_code_and_a_whole_settings_file(string signal, int code)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("signals are sent with kill");
        if (signal == "INT" && Terminal.IgnoresCtrlC) Assert.Skip("started in the background, where Ctrl-C is ignored");
        using var folder = new Folder();
        using var run = Process.Start(Terminal.Info(
            Terminal.Program, folder.Path, "run", "digits", "--quick", "--strategies", "joint", "--threads", "1", "--json",
            "--out", "run", "--data", Commands.DataFolder.Find()!))!;
        var stop = TestContext.Current.CancellationToken;
        var error = run.StandardError.ReadToEndAsync(stop);

        while (await run.StandardOutput.ReadLineAsync(stop) is { } line && !line.Contains("\"start\"", StringComparison.Ordinal)) { }
        using (var kill = Process.Start("kill", [$"-{signal}", run.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync(stop);
        var last = (await run.StandardOutput.ReadToEndAsync(stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        await run.WaitForExitAsync(stop);

        // Of some processors torch says once that NNPACK does not know them; it then does without.
        var said = (await error).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(text => !text.Contains("NNPACK", StringComparison.Ordinal));
        Assert.Equal(code, run.ExitCode);
        Assert.Empty(said);
        Assert.Contains("\"unfinished\":[\"joint\"]", last, StringComparison.Ordinal);
        Assert.Equal("joint", (string)JsonNode.Parse(File.ReadAllText(folder["run/settings.json"]))!["strategies"]![0]!);
    }

    [Fact]
    public void An_interrupted_run_keeps_the_strategies_that_ended_and_says_which_did_not()
    {
        using var folder = new Folder();
        using var stop = new CancellationTokenSource();
        using var output = new StopAt("\"event\":\"phase\",\"strategy\":\"joint\"", stop);
        using var error = new StringWriter();
        var host = new CliHost(output, error, CliHost.Plain(output), false, TimeProvider.System, stop.Token);

        var code = CommandLine.Run(
            ["run", "digits", "--quick", "--strategies", "naive,joint", "--threads", "1", "--json", "--out", folder["run"]], host);

        Assert.Equal(ExitCode.Interrupted, code);
        var results = RunResults.FromJson(File.ReadAllText(folder["run/results.json"]));
        Assert.Equal("naive", Assert.Single(results.Strategies).Name);
        Assert.Equal(["joint"], results.Unfinished!);
        Assert.All(s_files, name => Assert.True(File.Exists(folder["run/" + name]), name));
    }

    [Fact]
    public void A_run_interrupted_at_once_says_that_nothing_ended()
    {
        using var folder = new Folder();

        var outcome = Terminal.Run(
            new CancellationToken(canceled: true), "run", "digits", "--quick", "--threads", "1", "--out", folder["run"]);

        Assert.Equal(ExitCode.Interrupted, outcome.Code);
        Assert.Contains("Not finished: naive, ewc, replay, joint. To go on: engram run --resume", outcome.Out, StringComparison.Ordinal);
        Assert.Equal([folder["run/settings.json"]], Directory.GetFiles(folder["run"]));
    }
}
