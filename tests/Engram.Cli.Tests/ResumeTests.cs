using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Engram.Cli.Commands;
using Engram.Evaluation;
using Engram.Persistence;

namespace Engram.Cli.Tests;

/// <summary>Runs that are stopped, killed and gone on with, as a user would.</summary>
public class ResumeTests
{
    private const string Small = """
        name: small
        data: { perClass: 60, testPerClass: 20 }
        stream: { groups: [[0, 1, 2], [3, 4], [5, 6]] }
        model: { backbone: mlp 784-100 }
        training: { epochs: 2, batchSize: 16 }
        memory: 50
        strategies: [naive, ewc+replay]
        """;

    [Fact]
    public void A_run_killed_again_and_again_comes_to_the_results_and_the_models_of_one_that_was_not() => KillAndCompare(kills: 3, seed: 7);

    /// <summary>
    /// The long form: 200 kills, or <c>ENGRAM_KILLS</c>, at moments that <c>ENGRAM_KILLS_SEED</c> chooses:
    /// <c>dotnet test --project tests/Engram.Cli.Tests -- --explicit only --filter-class "*ResumeTests"</c>
    /// </summary>
    [Fact(Explicit = true)]
    public void Two_hundred_kills_lose_nothing() => KillAndCompare(Number("ENGRAM_KILLS", 200), Number("ENGRAM_KILLS_SEED", 7));

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    [Theory]
    [InlineData("INT", ExitCode.Interrupted)]
    [InlineData("TERM", ExitCode.Terminated)]
    public void A_run_that_a_signal_ended_in_the_middle_comes_to_the_files_of_one_that_was_not(string signal, int expected)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("signals are sent with kill");
        if (signal == "INT" && Terminal.IgnoresCtrlC) Assert.Skip("started in the background, where Ctrl-C is ignored");
        using var folder = new Folder();
        // Long enough to be running still when the signal comes.
        string[] run = Run(folder, Small.Replace("epochs: 2", "epochs: 20", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Success, Start(folder.Path, [.. run, "--out", "whole"]).Code);

        // In the first strategy and in the second, both between and inside experiences.
        var (code, error, _) = Start(folder.Path, [.. run, "--out", "run", "--json"], new Moment("\"event\":\"phase\"", TimeSpan.FromMilliseconds(20), signal));
        Assert.Equal((expected, ""), (code, error));
        Assert.True(Directory.Exists(folder["run/checkpoint"]));
        (code, error, _) = Start(
            folder.Path, ["run", "--resume", "run", "--json"], new Moment("\"event\":\"strategy\"", TimeSpan.FromMilliseconds(20), signal));
        Assert.Equal((expected, ""), (code, error));
        AssertWhole(folder["run"]);
        (code, error, _) = Start(folder.Path, ["run", "--resume", "run"]);

        Assert.True(code == ExitCode.Success, error);
        AssertEqualRuns(folder["whole"], folder["run"]);
    }

    [Fact]
    public void An_interrupted_run_says_how_to_go_on_and_goes_on()
    {
        using var folder = new Folder();
        using var stop = new CancellationTokenSource();
        using var output = new StopAt("\"event\":\"phase\",\"strategy\":\"ewc", stop);
        using var error = new StringWriter();
        var host = new CliHost(output, error, CliHost.Plain(output), false, TimeProvider.System, stop.Token);
        CommandLine.Run([.. Run(folder), "--json", "--out", folder["run"]], host);
        var last = JsonNode.Parse(output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!;
        Assert.Equal($"engram run --resume {folder["run"]}", (string)last["resume"]!);

        var again = Terminal.Run("run", "--resume", folder["run"], "--json");

        Assert.True(again.Code == ExitCode.Success, again.Error);
        Assert.Equal(["start", "restored"], again.JsonLines.Take(2).Select(line => (string)line["event"]!));
        Assert.Null(again.JsonLines[^1]["resume"]);
        var results = RunResults.FromJson(File.ReadAllText(folder["run/results.json"]));
        Assert.Equal(["naive", "ewc+replay"], results.Strategies.Select(strategy => strategy.Name));
        Assert.Null(results.Unfinished);
        Assert.Contains(again.JsonLines[^1]["files"]!.AsArray(), file => ((string)file!).EndsWith("models/naive", StringComparison.Ordinal));
        Assert.False(Directory.Exists(folder["run/checkpoint"]));

        var complete = Terminal.Run("run", "--resume", folder["run"]);
        Assert.Equal(ExitCode.Success, complete.Code);
        Assert.Contains("is complete", Assert.Single(complete.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_of_data_elsewhere_goes_on_with_them_and_its_command_names_them()
    {
        using var folder = new Folder();
        Directory.CreateDirectory(folder["my data"]);
        foreach (var file in Directory.GetFiles(DataFolder.Find()!)) File.CreateSymbolicLink(folder[$"my data/{Path.GetFileName(file)}"], Path.GetFullPath(file));
        Terminal.Run(new CancellationToken(canceled: true), [.. Run(folder), "--data", folder["my data"], "--out", folder["run"]]);

        Assert.Equal(ExitCode.Success, Terminal.Run("run", "--resume", folder["run"]).Code);

        var results = RunResults.FromJson(File.ReadAllText(folder["run/results.json"]));
        Assert.EndsWith($" --data \"{folder["my data"]}\"", results.Command, StringComparison.Ordinal);
        Directory.Delete(folder["my data"], recursive: true);
        File.Delete(folder["run/results.json"]);
        Assert.Contains("my data", Assert.Single(Terminal.Run("run", "--resume", folder["run"]).ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_was_lost_is_learnt_again()
    {
        using var folder = new Folder();
        Terminal.Run(new CancellationToken(canceled: true), [.. Saving(folder), "--out", folder["run"]]);
        File.WriteAllText(folder["run/checkpoint/naive.result.json"], "of a model that is not there");

        var outcome = Terminal.Run("run", "--resume", folder["run"]);

        Assert.True(outcome.Code == ExitCode.Success, outcome.Error);
        Assert.True(File.Exists(folder["run/models/naive/manifest.json"]));
    }

    [Theory]
    [InlineData("naive.result.json", "{", "checkpoint: no JSON", "without the file, its strategy and the one in progress start again")]
    [InlineData("naive.result.json", "{ \"name\": \"naive\" }", "without title", "without the file, its strategy and the one in progress start again")]
    [InlineData("current/manifest.json", "{ \"format\": ", "current/manifest.json", "checkpoint/current, its strategy starts again")]
    [InlineData("sittings.json", "{ \"started\": \"2026-01-01T00:00:00Z\", \"seconds\": \"NaN\" }", "seconds: NaN", "without the file, the time is counted from now")]
    [InlineData("sittings.json", "[]", "found Array", "without the file, the time is counted from now")]
    public void A_damaged_place_is_one_line_that_says_what_to_delete_and_exit_code_2(string file, string content, string said, string end)
    {
        using var folder = new Folder();
        Terminal.Run(new CancellationToken(canceled: true), [.. Saving(folder), "--out", folder["run"]]);
        foreach (var (path, text) in new[] { ("run/models/naive/manifest.json", ""), ($"run/checkpoint/{file}", content) })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[path])!);
            File.WriteAllText(folder[path], text);
        }

        var outcome = Terminal.Run("run", "--resume", folder["run"]);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains(folder[$"run/checkpoint/{file}"], line, StringComparison.Ordinal);
        Assert.Contains(said, line, StringComparison.Ordinal);
        Assert.EndsWith(end, line, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_process_left_is_swept_at_the_next_start_and_at_every_resume()
    {
        using var folder = new Folder();
        var stopped = new CancellationToken(canceled: true);
        // Killed while it probed the folder and while it wrote its settings, which were not there yet.
        Leave("run/.k3f9a0z1.x2y.tmp", "run/settings.json.k3f9a0z1.x2y.tmp");
        Assert.Equal(ExitCode.Interrupted, Terminal.Run(stopped, [.. Saving(folder), "--out", folder["run"]]).Code);
        AssertSwept();
        Leave("run/report.html.k3f9a0z1.x2y.tmp", "run/samples/dgr-1.png.k3f9a0z1.x2y.tmp", "run/checkpoint/sittings.json.k3f9a0z1.x2y.tmp");
        Assert.Equal(ExitCode.Interrupted, Terminal.Run(stopped, "run", "--resume", folder["run"]).Code);
        AssertSwept();

        void Leave(params string[] names)
        {
            foreach (var path in names.Select(name => folder[name]))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllText(path, "");
            }
        }

        void AssertSwept() => Assert.DoesNotContain(
            Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories), path => Path.GetExtension(path) == ".tmp");
    }

    [Theory]
    [InlineData("{}", "is damaged")]
    [InlineData("nonsense", "is damaged")]
    [InlineData("""{"experiment":"other","version":"1","command":"","strategies":[],"epochs":1,"seed":0,"capacity":1,"threads":1,"quick":true}""", "\"other\"")]
    [InlineData("""{"experiment":"digits","version":"0.0.1","command":"","strategies":[],"epochs":1,"seed":0,"capacity":1,"threads":1,"quick":true}""", "version 0.0.1")]
    public void Settings_that_cannot_be_gone_on_with_are_refused_in_one_line(string settings, string said)
    {
        using var folder = new Folder();
        File.WriteAllText(folder["settings.json"], settings);

        var outcome = Terminal.Run("run", "--resume", folder.Path);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains(said, line, StringComparison.Ordinal);
        Assert.Contains("expected", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_other_sources_began_is_refused()
    {
        using var folder = new Folder();
        Terminal.Run(new CancellationToken(canceled: true), [.. Run(folder), "--out", folder["run"]]);
        Change(settings => Assert.Equal(RunEnvironment.ProgramSources, (string)settings["sources"]!));

        foreach (var (change, said) in new (Action<JsonObject>, string)[]
            { (settings => settings["sources"] = "0123456789abcdef", "sources 0123456789abcdef began"), (settings => settings.Remove("sources"), "of no fingerprint") })
        {
            Change(change);
            var outcome = Terminal.Run("run", "--resume", folder["run"]);
            Assert.Equal(ExitCode.Usage, outcome.Code);
            Assert.Contains($"{said}", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
            Assert.Contains($"expected {RunEnvironment.ProgramSources}", outcome.Error, StringComparison.Ordinal);
        }

        void Change(Action<JsonObject> change)
        {
            var settings = JsonNode.Parse(File.ReadAllText(folder["run/settings.json"]))!.AsObject();
            change(settings);
            File.WriteAllText(folder["run/settings.json"], settings.ToJsonString());
        }
    }

    [Theory]
    [InlineData("train")]
    [InlineData("test")]
    public void A_run_goes_on_with_the_same_data_elsewhere_and_with_no_others(string changed)
    {
        using var folder = new Folder();
        foreach (var place in new[] { "table", "moved" })
        {
            Directory.CreateDirectory(folder[place]);
            foreach (var half in new[] { "train", "test" }) File.WriteAllText(folder[$"{place}/{half}.csv"], "width,label\n1,a\n2,b\n");
        }
        File.WriteAllText(folder["my.yaml"], "data: { source: csv, path: nowhere }\nstream: { experiences: 2 }\nmodel: { backbone: mlp 1-4 }\nstrategies: [naive]");
        Terminal.Run(new CancellationToken(canceled: true), "run", folder["my.yaml"], "--data", folder["table"], "--threads", "1", "--out", folder["run"]);
        File.AppendAllText(folder[$"table/{changed}.csv"], "3,b\n");

        var other = Terminal.Run("run", "--resume", folder["run"]);
        var same = Terminal.Run("run", "--resume", folder["run"], "--data", folder["moved"]);

        Assert.Equal(ExitCode.Usage, other.Code);
        var line = Assert.Single(other.ErrorLines);
        Assert.Contains("settings.json: data of fingerprint ", line, StringComparison.Ordinal);
        Assert.Contains($"expected them, but those in \"{folder["table"]}\" have ", line, StringComparison.Ordinal);
        Assert.True(same.Code == ExitCode.Success, same.Error);
    }

    [Fact]
    public void A_folder_without_a_run_and_one_at_work_are_refused()
    {
        using var folder = new Folder();
        Assert.Contains("holds no run", Terminal.Run("run", "--resume", folder.Path).Error, StringComparison.Ordinal);

        Terminal.Run(new CancellationToken(canceled: true), [.. Saving(folder), "--out", folder["run"]]);
        using var other = new ExperimentCheckpoints(folder["run/checkpoint"]);
        var outcome = Terminal.Run("run", "--resume", folder["run"]);
        Assert.Equal(ExitCode.Failure, outcome.Code);
        Assert.Contains("another process is at work", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    private static string[] Run(Folder folder, string text = Small)
    {
        File.WriteAllText(folder["small.yaml"], text);
        return ["run", folder["small.yaml"], "--threads", "1"];
    }

    // After every step.
    private static string[] Saving(Folder folder) => [.. Run(folder), "--save-every", "0"];

    private static void KillAndCompare(int kills, int seed)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("processes are killed with kill -9");
        using var folder = new Folder();
        var whole = Stopwatch.StartNew();
        Assert.Equal(ExitCode.Success, Start(folder.Path, [.. Saving(folder), "--out", "whole"]).Code);
        var length = whole.Elapsed;
        var random = new Random(seed);
        var (run, killed, ends, found) = ("killed-0", 0, 0, 0);
        var moments = new SortedDictionary<string, int>(StringComparer.Ordinal);
        while (killed < kills || ends == 0)
        {
            var path = folder[run];
            string[] command = File.Exists(Path.Combine(path, "settings.json"))
                ? ["run", "--resume", run, "--save-every", "0"]
                : [.. Saving(folder), "--out", run];
            var (code, error, last) = Start(folder.Path, [.. command, "--json"], killed < kills ? Moment.Any(random, length) : null);
            if (code == KilledCode)
            {
                killed++;
                var moment = Unfinished(path) ? "saving" : last;
                moments[moment] = moments.GetValueOrDefault(moment) + 1;
                found += AssertWhole(path);
                if (killed % 10 == 0) Tell();
                continue;
            }
            Assert.True(code == ExitCode.Success, $"after {killed} kills: {error}");
            AssertEqualRuns(folder["whole"], path);
            Directory.Delete(path, recursive: true);
            run = $"killed-{++ends}";
        }
        Tell();
        Assert.Equal(kills, moments.Values.Sum());
        // A few may all fall between; of many, some fall everywhere.
        if (kills < 40) return;
        foreach (var moment in new[] { "saving", "after progress", "after phase", "after strategy" })
            Assert.True(moments.ContainsKey(moment), $"of {kills} kills none fell into: {moment}");

        void Tell() => TestContext.Current.TestOutputHelper!.WriteLine(
            $"{killed} kills, {ends} runs that came to their end, {found} whole bundles found after a kill; killed "
            + string.Join(", ", moments.Select(moment => $"{moment.Key}: {moment.Value}")));
    }

    private const int KilledCode = 137;

    // Every bundle that can be seen is whole; a checkpoint before the first save has none yet.
    private static int AssertWhole(string run)
    {
        if (!Directory.Exists(run)) return 0;
        var bundles = Directory.EnumerateFiles(run, "manifest.json", SearchOption.AllDirectories)
            .Select(file => Path.GetDirectoryName(file)!).Where(path => !path.EndsWith(".saving", StringComparison.Ordinal)).ToArray();
        foreach (var bundle in bundles) Bundle.Verify(bundle);
        return bundles.Length;
    }

    private static bool Unfinished(string run) => Directory.Exists(run)
        && Directory.EnumerateFileSystemEntries(run, "*", SearchOption.AllDirectories)
            .Any(path => Path.GetExtension(path) is ".saving" or ".tmp");

    /// <summary>When to end a process, and how: some time after it starts, or after it says something.</summary>
    private sealed record Moment(string? Said, TimeSpan After, string Signal = "KILL")
    {
        // A sitting's start alone takes a second or so; of the kills that any time will do for, half come early in one.
        // After a phase is measured its place is saved and the head grows; after the last strategy all is reported.
        public static Moment Any(Random random, TimeSpan length) => random.Next(4) switch
        {
            0 => new Moment("\"event\":\"phase\"", random.NextDouble() * TimeSpan.FromMilliseconds(60)),
            1 => new Moment("\"event\":\"strategy\"", random.NextDouble() * TimeSpan.FromMilliseconds(1500)),
            _ => new Moment(null, length * Math.Pow(random.NextDouble(), 2)),
        };
    }

    private static (int Code, string Error, string Last) Start(string folder, string[] command, Moment? moment = null)
    {
        string[] data = ["--data", DataFolder.Find()!];
        using var process = Process.Start(Terminal.Info(Terminal.Program, folder, [.. command, .. data]))!;
        var error = process.StandardError.ReadToEndAsync();
        var said = new TaskCompletionSource();
        var last = "starting";
        var output = Task.Run(() =>
        {
            while (process.StandardOutput.ReadLine() is { } line)
            {
                if (line.StartsWith("{\"event\"", StringComparison.Ordinal)) last = $"after {line.Split('"')[3]}";
                if (moment?.Said is { } awaited && line.Contains(awaited, StringComparison.Ordinal)) said.TrySetResult();
            }
        });
        if (moment is { Said: not null }) Task.WaitAny(said.Task, output);
        if (!process.WaitForExit(moment?.After ?? TimeSpan.FromMinutes(5)))
            using (Process.Start("kill", [$"-{moment?.Signal ?? "KILL"}", process.Id.ToString(CultureInfo.InvariantCulture)])) process.WaitForExit();
        process.WaitForExit();
        output.Wait();
        return (process.ExitCode, error.Result, last);
    }

    // Every file of the run, bit by bit, but for the times in results and pictures.
    private static void AssertEqualRuns(string expected, string actual)
    {
        Assert.Equal(Names(expected), Names(actual));
        foreach (var name in Names(expected).Where(name => name.EndsWith(".safetensors", StringComparison.Ordinal)
            || Path.GetFileName(name) is "settings.json"))
            Assert.Equal(Hash(Path.Combine(expected, name)), Hash(Path.Combine(actual, name)));
        foreach (var name in Names(expected).Where(name => Path.GetFileName(name) == "manifest.json"))
            Assert.Equal(ManifestWithoutTimes(Path.Combine(expected, name)), ManifestWithoutTimes(Path.Combine(actual, name)));
        Assert.Equal(WithoutTimes(expected), WithoutTimes(actual));
    }

    private static string[] Names(string folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path)).Order(StringComparer.Ordinal)];

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    private static string ManifestWithoutTimes(string path)
    {
        var manifest = JsonNode.Parse(File.ReadAllText(path))!;
        var lineage = manifest["lineage"]!;
        Assert.NotNull(lineage["saved"]);
        (manifest["id"], lineage["saved"]) = (null, null);
        foreach (var part in lineage["history"]!.AsArray())
        {
            Assert.NotNull(part!["learnt"]);
            part["learnt"] = null;
        }
        return manifest.ToJsonString();
    }

    private static string WithoutTimes(string folder)
    {
        var results = RunResults.FromJson(File.ReadAllText(Path.Combine(folder, "results.json")));
        return (results with
        {
            Started = default,
            Seconds = 0,
            Strategies = [.. results.Strategies.Select(strategy => strategy with
            {
                Costs = [.. strategy.Costs.Select(cost => cost with { TrainSeconds = 0, EvaluationSeconds = 0 })],
                Cost = strategy.Cost! with { TrainSeconds = 0, PredictSeconds = 0, PeakMemoryBytes = 0 },
            })],
        }).ToJson();
    }
}
