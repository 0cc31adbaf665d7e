using System.Diagnostics;
using System.Text.Json.Nodes;
using Engram.Cli.Commands;
using Engram.Cli.Experiments;
using Engram.Evaluation;

namespace Engram.Cli.Tests;

public class BenchTests
{
    private static readonly string[] s_short =
        ["bench", "split-mnist", "--scenario", "class", "--methods", "none,er", "--seeds", "2", "--iterations", "3", "--per-class", "20"];

    [Fact]
    public void A_benchmark_runs_its_cells_in_processes_and_computes_none_twice()
    {
        using var folder = new Folder();

        var first = Terminal.Run([.. s_short, "--out", folder["bench"], "--markdown", folder["docs/table.md"], "--json"]);

        Assert.True(first.Code == ExitCode.Success, first.Error);
        Assert.Equal(4, first.JsonLines.Count(line => (string)line["event"]! == "cell"));
        var table = first.JsonLines[^1]["table"]!;
        Assert.Equal(RunEnvironment.LibrarySources, (string)table["environment"]!["sources"]!); // and so does each cell
        Assert.All(Directory.GetFiles(folder["bench/cells"]), cell => Assert.Equal(RunEnvironment.LibrarySources, (string)JsonNode.Parse(File.ReadAllText(cell))!["sources"]!));
        Assert.Equal(["none", "er"], table["entries"]!.AsArray().Select(entry => (string)entry!["method"]!));
        Assert.All(first.JsonLines[^1]["files"]!.AsArray(), file => Assert.True(new FileInfo((string)file!).Length > 0));
        Assert.Contains("engram bench split-mnist --scenario class --methods none,er --seeds 2 --iterations 3 --per-class 20",
            File.ReadAllText(folder["docs/table.md"]), StringComparison.Ordinal);
        Assert.Equal(4 + 1, File.ReadLines(folder["bench/results.csv"]).Count());
        Assert.Equal(4, Directory.GetFileSystemEntries(folder["bench/cells"]).Length); // and no checkpoint

        File.WriteAllText(folder["docs/table.md"], "before\n\n" + File.ReadAllText(folder["docs/table.md"]).Replace("128 samples", "old text", StringComparison.Ordinal) + "after\n");
        var again = Terminal.Run([.. s_short, "--out", folder["bench"], "--markdown", folder["docs/table.md"], "--json"]);
        var document = File.ReadAllText(folder["docs/table.md"]);
        Assert.StartsWith("before\n\n<!-- engram bench split-mnist -->", document, StringComparison.Ordinal); // only its section is made anew
        Assert.EndsWith("<!-- end of engram bench split-mnist -->\nafter\n", document, StringComparison.Ordinal);
        Assert.DoesNotContain("old text", document, StringComparison.Ordinal);
        Assert.Equal(4, (int)again.JsonLines[0]["done"]!);
        Assert.DoesNotContain(again.JsonLines, line => (string)line["event"]! == "cell");
        Assert.Equal(table["entries"]!.ToJsonString(), again.JsonLines[^1]["table"]!["entries"]!.ToJsonString());

        File.Delete(folder["bench/report.html"]);
        var report = Terminal.Run("report", folder["bench"]);
        Assert.True(report.Code == ExitCode.Success, report.Error);
        Assert.Contains("Backward transfer", File.ReadAllText(folder["bench/report.html"]), StringComparison.Ordinal);
        File.WriteAllText(folder["bench/results.json"], """{ "benchmark": "split-mnist" }""");
        Assert.Contains("results.json: damaged", Assert.Single(Terminal.Run("report", folder["bench"]).ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cell_of_other_data_is_none_of_these_and_the_command_says_which()
    {
        using var folder = new Folder();
        Directory.CreateDirectory(folder["my data"]);
        foreach (var file in Directory.GetFiles(DataFolder.Find()!)) File.Copy(file, folder[$"my data/{Path.GetFileName(file)}"]);
        string[] one = [.. s_short.Select(word => word == "none,er" ? "none" : word == "2" ? "1" : word), "--data", folder["my data"], "--out", folder["bench"], "--json"];

        var first = Terminal.Run(one);
        Assert.True(first.Code == ExitCode.Success, first.Error);
        Assert.EndsWith($" --data \"{folder["my data"]}\"", (string)first.JsonLines[^1]["table"]!["entries"]![0]!["command"]!, StringComparison.Ordinal);
        Assert.Equal(1, (int)Terminal.Run(one).JsonLines[0]["done"]!);
        File.WriteAllText(folder["my data/more"], "another file");
        Assert.Equal(1, (int)Terminal.Run(one).JsonLines[0]["done"]!); // which is not read
        File.AppendAllText(folder["my data/train-labels-idx1-ubyte.gz"], "x");
        Assert.Equal(0, (int)Terminal.Run(new CancellationToken(canceled: true), one).JsonLines[0]["done"]!);
    }

    [Fact]
    public void A_damaged_cell_is_named_and_the_others_stay()
    {
        using var folder = new Folder();
        string[] two = [.. s_short.Select(word => word == "none,er" ? "none" : word), "--out", folder["bench"]];
        Terminal.Run(two);
        var cells = Directory.GetFiles(folder["bench/cells"]);
        File.WriteAllText(cells[0], "{");

        var outcome = Terminal.Run(two);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains(Path.GetFileName(cells[0]), Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        File.Copy(cells[1], cells[0], overwrite: true); // another cell's result is none of this one
        var other = Terminal.Run(two);
        Assert.Equal(ExitCode.Usage, other.Code);
        Assert.Contains($"{Path.GetFileName(cells[0])}: damaged (cell: ", Assert.Single(other.ErrorLines), StringComparison.Ordinal);
        Assert.All(cells.Skip(1), cell => Assert.True(new FileInfo(cell).Length > 100));
    }

    [Fact]
    public void A_cell_whose_place_is_damaged_is_told_of_and_the_others_are_computed()
    {
        using var folder = new Folder();
        string[] two = [.. s_short.Select(word => word == "none,er" ? "none" : word), "--jobs", "1", "--out", folder["bench"], "--json"];
        Terminal.Run(two);
        string[] cells = [.. Directory.GetFiles(folder["bench/cells"]).Order(StringComparer.Ordinal)];
        Damage(cells[0]);
        File.Delete(cells[1]);

        var outcome = Terminal.Run(two);

        Assert.Equal(ExitCode.Failure, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains($"{Path.GetFileNameWithoutExtension(cells[0])}.checkpoint/current/manifest.json: ", line, StringComparison.Ordinal);
        Assert.EndsWith(".checkpoint/current, its strategy starts again", line, StringComparison.Ordinal);
        Assert.Equal(1, (int)outcome.JsonLines[^1]["missing"]!);
        Assert.True(File.Exists(cells[1]));

        Damage(cells[1]);
        var none = Terminal.Run(two);
        Assert.Equal((ExitCode.Usage, 2), (none.Code, none.ErrorLines.Length));

        static void Damage(string cell)
        {
            File.Delete(cell);
            var place = Directory.CreateDirectory(Path.Combine(Path.ChangeExtension(cell, ".checkpoint"), "current")).FullName;
            File.WriteAllText(Path.Combine(place, "manifest.json"), "{ \"format\": ");
        }
    }

    [Fact]
    public void A_cell_stops_and_keeps_its_place_when_its_parent_is_gone()
    {
        using var folder = new Folder();
        var info = Terminal.Info(Terminal.Program, folder.Path,
            "bench", "cell", "--cell", """{"Benchmark":"split-mnist","Scenario":0,"Method":"none","Seed":0}""",
            "--out", folder.Path, "--data", DataFolder.Find()!);
        info.RedirectStandardInput = true;
        using var cell = Process.Start(info)!;

        cell.StandardOutput.ReadLine(); // it has begun
        cell.StandardInput.Close();
        cell.WaitForExit();

        Assert.Equal(ExitCode.Interrupted, cell.ExitCode);
        var kept = Assert.Single(Directory.GetDirectories(folder.Path));
        Assert.EndsWith(".checkpoint", kept, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(kept, "current", "manifest.json")));
    }

    [Fact]
    public void An_interrupted_benchmark_says_what_is_missing()
    {
        using var folder = new Folder();
        var outcome = Terminal.Run(new CancellationToken(canceled: true), [.. s_short, "--out", folder["bench"]]);
        Assert.Equal(ExitCode.Interrupted, outcome.Code);
        Assert.Contains("4 of 4 cells are missing; the same command goes on with them", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_seed_that_is_missing_keeps_later_ones_out_of_the_table_which_says_so()
    {
        using var folder = new Folder();
        string[] three = [.. s_short.Select(word => word == "2" ? "3" : word), "--out", folder["bench"], "--markdown", folder["table.md"]];
        Terminal.Run(three);
        File.Delete(Assert.Single(Directory.GetFiles(folder["bench/cells"], "*-none-1-*.json")));
        File.Delete(Assert.Single(Directory.GetFiles(folder["bench/cells"], "*-er-0-*.json")));

        var outcome = Terminal.Run(new CancellationToken(canceled: true), three);

        Assert.Equal(ExitCode.Interrupted, outcome.Code);
        Assert.Contains("1 of 3", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("2 of 6 cells are missing", outcome.Out, StringComparison.Ordinal);
        var text = File.ReadAllText(folder["table.md"]);
        Assert.Contains("| 1 of 3 |", text, StringComparison.Ordinal);
        Assert.Contains("--methods none --seeds 1 --iterations 3 --per-class 20`", text, StringComparison.Ordinal);
        Assert.Contains("**Fewer seeds than asked for**: None (naive) (class, 1 of 3 seeds).", text, StringComparison.Ordinal);
        Assert.Contains("ER (100 per class) (task, domain, class)", text, StringComparison.Ordinal); // not computed
        Assert.Contains("<b>Fewer seeds than asked for</b>", File.ReadAllText(folder["bench/report.html"]), StringComparison.Ordinal);
        Assert.Contains("class,none,0,", Assert.Single(File.ReadLines(folder["bench/results.csv"]).Skip(1)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_list_names_every_method_and_what_is_published()
    {
        var outcome = Terminal.Run("bench", "list");
        Assert.Equal(ExitCode.Success, outcome.Code);
        Assert.Contains("split-mnist", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("88.79", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("99.06 ± 0.15", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("86.00, BWT +5.00", outcome.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bench", "bench: nothing chosen", "list, split-mnist")]
    [InlineData("bench split-mnist --scenario online", "--scenario: \"online\"", "task, domain, class or all")]
    [InlineData("bench split-mnist --methods magic", "--methods: \"magic\"", "ewc")]
    [InlineData("bench split-mnist --methods er,er", "--methods: \"er\" occurs 2 times", "once")]
    [InlineData("bench split-mnist --methods icarl --scenario task", "--methods: \"icarl\" is not made for task", "class")]
    [InlineData("bench speed --parts training,magic", "--parts: \"magic\"", "prediction")]
    [InlineData("bench core50 --scenario class", "--scenario: \"class\"", "ni, nc, nic or all")]
    [InlineData("bench split-mnist --seeds 0", "--seeds: \"0\"", "from 1")]
    [InlineData("bench split-mnist --jobs 5000", "--jobs: \"5000\"", "from 1 to")]
    [InlineData("bench split-mnist --out /proc/none/x", "--out: \"/proc/none/x\"", "a folder")]
    public void A_wrong_command_gives_one_line_and_exit_code_2(string line, string names, string expected)
    {
        var outcome = Terminal.Run(line.Split(' '));
        Assert.Equal(ExitCode.Usage, outcome.Code);
        var said = Assert.Single(outcome.ErrorLines);
        Assert.Contains(names, said, StringComparison.Ordinal);
        Assert.Contains(expected, said, StringComparison.Ordinal);
    }

    [Fact]
    public void Core50_that_is_not_there_is_told_with_where_to_get_it()
    {
        var outcome = Terminal.Run("bench", "core50", "--data", "/nowhere/core50");
        Assert.Equal(ExitCode.Usage, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains("batches_filelists.zip", line, StringComparison.Ordinal);
        Assert.Contains("vlomonaco.github.io/core50", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nc", "nc")]
    [InlineData("all", "ni,nc,nic")]
    public void Core50_runs_on_files_in_the_official_layout(string scenario, string expected)
    {
        using var folder = new Folder();
        WriteCore50(folder, expected.Split(','));
        string[] command = ["bench", "core50", "--scenario", scenario, "--methods", "none", "--seeds", "1", "--iterations", "1", "--data", folder.Path];
        var outcome = Terminal.Run([.. command, "--out", folder["out"], "--json"]);
        Assert.True(outcome.Code == ExitCode.Success, outcome.Error);
        var tables = outcome.JsonLines.Where(line => (string)line["event"]! == "table").Select(line => line["table"]!).ToArray();
        Assert.Equal(expected.Split(',').Select(name => $"engram bench core50 --scenario {name} --methods none --seeds 1 --iterations 1 --data {CommandLine.Quoted(folder.Path)}"),
            tables.Select(table => (string)table["entries"]![0]!["command"]!));
        // Its pictures are decoded by other sources than the library's.
        var cells = Directory.GetFiles(folder["out"], "core50-*.json", SearchOption.AllDirectories).Select(path => JsonNode.Parse(File.ReadAllText(path))!).ToArray();
        Assert.All(cells, cell => Assert.Equal(DataSets.ReaderOf("core50"), (string?)cell["cell"]!["reader"]));
        Assert.NotEqual(RunEnvironment.LibrarySources, DataSets.ReaderOf("core50"));

        Directory.Delete(folder["batches_filelists"], recursive: true);
        Directory.CreateDirectory(folder["batches_filelists"]);
        var missing = Terminal.Run([.. command, "--out", folder["missing"]]);
        Assert.Equal(ExitCode.Usage, missing.Code);
        Assert.Equal(2, Assert.Single(missing.ErrorLines).Split(folder.Path).Length); // the path once
    }

    [Fact]
    public void Core50_runs_a_method_in_the_scenarios_that_have_it_and_tells_of_missing_lists_before_any_is_run()
    {
        using var folder = new Folder();
        WriteCore50(folder, "ni", "nc", "nic");
        string[] command = ["bench", "core50", "--methods", "icarl", "--seeds", "1", "--iterations", "1", "--data", folder.Path, "--out", folder["out"]];

        var outcome = Terminal.Run([.. command, "--json"]);
        Assert.True(outcome.Code == ExitCode.Success, outcome.Error);
        Assert.Equal(["core50-nc", "core50-nic"], outcome.JsonLines.Where(line => (string)line["event"]! == "table").Select(line => (string)line["table"]!["benchmark"]!));
        var refused = Terminal.Run([.. command, "--scenario", "ni"]);
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Equal("engram: --methods: \"icarl\" is not made for ni, expected a scenario of nc, nic", Assert.Single(refused.ErrorLines));

        Directory.Delete(folder["out"], recursive: true);
        Directory.Delete(folder["batches_filelists/NIC_inc"], recursive: true);
        var missing = Terminal.Run(command);
        Assert.Equal(ExitCode.Usage, missing.Code);
        Assert.Contains("NIC_inc", Assert.Single(missing.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public void Core50_goes_on_after_a_failed_cell_and_calls_scenarios_as_its_option_does()
    {
        using var folder = new Folder();
        WriteCore50(folder, "ni", "nc", "nic");
        string[] command = ["bench", "core50", "--methods", "none", "--seeds", "1", "--iterations", "1", "--data", folder.Path, "--out", folder["out"]];
        var whole = Terminal.Run(command);
        Assert.True(whole.Code == ExitCode.Success, whole.Error);
        Assert.DoesNotContain("domain", whole.Out, StringComparison.Ordinal);
        Assert.Contains("ni none, seed 0", whole.Out, StringComparison.Ordinal);
        Assert.StartsWith("core50-ni,ni,none,0,", File.ReadLines(folder["out/core50-ni/results.csv"]).Last(), StringComparison.Ordinal);
        Assert.Contains("<h2>ni</h2>", File.ReadAllText(folder["out/core50-ni/report.html"]), StringComparison.Ordinal);

        foreach (var name in new[] { "ni", "nc" })
        {
            var cell = Assert.Single(Directory.GetFiles(folder[$"out/core50-{name}/cells"]));
            Assert.StartsWith($"core50-{name}-none-0-", Path.GetFileName(cell), StringComparison.Ordinal);
            File.Delete(cell);
            if (name == "ni") Directory.CreateDirectory(cell); // a result that cannot be written
        }
        var outcome = Terminal.Run([.. command, "--json"]);
        Assert.Equal(ExitCode.Failure, outcome.Code);
        Assert.Contains("core50-ni-none-0-", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(["start", "failed", "table", "start", "cell", "table", "start", "table"],
            outcome.JsonLines.Select(line => (string)line["event"]!).Where(name => name != "progress"));
        Assert.Equal("nc", (string)outcome.JsonLines.Single(line => (string)line["event"]! == "cell")["scenario"]!);
    }

    [Fact]
    public void Core50_refuses_orders_that_are_missing_before_the_first_cell_and_a_damaged_picture_in_one_line()
    {
        using var folder = new Folder();
        WriteCore50(folder, "ni");
        string[] command = ["bench", "core50", "--scenario", "ni", "--iterations", "1", "--data", folder.Path, "--out", folder["out"]];
        var seeds = Terminal.Run([.. command, "--seeds", "2"]);
        Assert.Equal(ExitCode.Usage, seeds.Code);
        Assert.Contains("no run1, expected the ten orders of CORe50", Assert.Single(seeds.ErrorLines), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["out"]));

        File.WriteAllText(folder["core50_128x128/s1/o1/C_01_01_000.png"], "no picture");
        var damaged = Terminal.Run([.. command, "--seeds", "1"]);
        Assert.Equal(ExitCode.Usage, damaged.Code);
        Assert.Contains("C_01_01_000.png", Assert.Single(damaged.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void Fewer_classes_than_contexts_share_are_one_line_with_the_numbers_of_both()
    {
        using var folder = new Folder();
        var row = new byte[3073];
        foreach (var name in new[] { "data_batch_1.bin", "test_batch.bin" })
            File.WriteAllBytes(folder[name], [.. Enumerable.Range(0, 40).SelectMany(i => (byte[])[(byte)(i % 6), .. row[1..]])]);
        var outcome = Terminal.Run("bench", "split-cifar10", "--scenario", "class", "--methods", "none", "--seeds", "1", "--data", folder.Path, "--out", folder["out"]);
        Assert.False(Directory.Exists(folder["out"]), "no cell was begun");
        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Equal($"engram: {folder.Path}: 5 contexts of 2 classes need 10 classes, the data have 6", Assert.Single(outcome.ErrorLines));
    }

    private static void WriteCore50(Folder folder, params string[] scenarios)
    {
        foreach (var image in new[] { "s1/o1/C_01_01_000.png", "s1/o2/C_01_02_000.png", "s3/o1/C_03_01_000.png", "s3/o2/C_03_02_000.png" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[$"core50_128x128/{image}"])!);
            using var bitmap = new SkiaSharp.SKBitmap(128, 128);
            using var png = bitmap.Encode(SkiaSharp.SKEncodedImageFormat.Png, 100);
            File.WriteAllBytes(folder[$"core50_128x128/{image}"], png.ToArray());
        }
        foreach (var name in scenarios)
        {
            var lists = Directory.CreateDirectory(folder[$"batches_filelists/{name.ToUpperInvariant()}_inc/run0"]).FullName;
            File.WriteAllText(Path.Combine(lists, "train_batch_00_filelist.txt"), "s1/o1/C_01_01_000.png 0\n");
            File.WriteAllText(Path.Combine(lists, "train_batch_01_filelist.txt"), "s1/o2/C_01_02_000.png 1\n");
            File.WriteAllText(Path.Combine(lists, "test_filelist.txt"), "s3/o1/C_03_01_000.png 0\ns3/o2/C_03_02_000.png 1\n");
        }
    }

    [Fact]
    public void Messages_do_not_name_parameters_of_code() => Assert.Equal(
        "seeds: 0, expected 1 or more", ErrorPolicy.Line(new UsageException(new ArgumentException("seeds: 0, expected 1 or more", "count").Message)));
}
