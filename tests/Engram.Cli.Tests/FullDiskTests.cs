using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Streams;
using Engram.Tests.Persistence;
using TorchSharp;

namespace Engram.Cli.Tests;

/// <summary>Disks that are full or read-only, through the commands.</summary>
public class FullDiskTests
{
    private static readonly string[] s_run = ["run", "digits", "--quick", "--strategies", "naive", "--threads", "1", "--save-every", "0"];

    [Fact]
    public void An_export_that_fails_says_where_and_what_to_do_and_the_old_file_stays()
    {
        using var folder = new Folder();
        using var disk = SmallDisk.OrSkip();
        Save(folder["model"]);
        string[] command = ["export", folder["model"], "--out", disk["m.safetensors"]];
        Assert.Equal(ExitCode.Success, Terminal.Run(command).Code);
        var before = File.ReadAllBytes(disk["m.safetensors"]);

        disk.Fill();
        var full = Terminal.Run(command);
        disk.MakeReadOnly();
        var readOnly = Terminal.Run(command);

        Assert.Equal((ExitCode.Failure, ExitCode.Failure), (full.Code, readOnly.Code));
        var line = Assert.Single(full.ErrorLines);
        Assert.StartsWith("engram: disk: ", line, StringComparison.Ordinal);
        Assert.Contains(disk["m.safetensors"], line, StringComparison.Ordinal);
        Assert.Contains("expected free space", line, StringComparison.Ordinal);
        line = Assert.Single(readOnly.ErrorLines);
        Assert.StartsWith("engram: file: ", line, StringComparison.Ordinal);
        Assert.Contains(disk["m.safetensors"], line, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(disk["m.safetensors"]));
        Assert.Equal(["filler", "m.safetensors"], Directory.GetFileSystemEntries(disk.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_run_on_a_disk_that_becomes_full_keeps_its_place_and_goes_on_when_there_is_room()
    {
        using var disk = SmallDisk.OrSkip(megabytes: 64);
        using var stop = new CancellationTokenSource();
        using var output = new StopAt("\"event\":\"phase\"", stop);
        CommandLine.Run(
            [.. s_run, "--json", "--out", disk["run"]], new CliHost(output, TextWriter.Null, CliHost.Plain(output), false, TimeProvider.System, stop.Token));
        var before = Bundles(disk["run"]);
        Assert.NotEmpty(before);

        disk.Fill();
        var full = Terminal.Run("run", "--resume", disk["run"], "--save-every", "0");

        Assert.Equal(ExitCode.Failure, full.Code);
        Assert.StartsWith("engram: disk: ", Assert.Single(full.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(before, Bundles(disk["run"]));
        File.Delete(disk["filler"]);
        var again = Terminal.Run("run", "--resume", disk["run"]);
        Assert.True(again.Code == ExitCode.Success, again.Error);
        Assert.True(File.Exists(disk["run/models/naive/manifest.json"]));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(disk.Path, "*", SearchOption.AllDirectories),
            path => Path.GetExtension(path) is ".tmp" or ".saving");
    }

    [Fact]
    public void A_run_on_a_disk_that_became_read_only_says_so_and_blames_no_other_process()
    {
        using var disk = SmallDisk.OrSkip();
        Terminal.Run(new CancellationToken(canceled: true), [.. s_run, "--out", disk["run"]]);
        disk.MakeReadOnly();

        var outcome = Terminal.Run("run", "--resume", disk["run"]);

        Assert.Equal(ExitCode.Failure, outcome.Code);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.StartsWith($"engram: file: {disk["run/checkpoint"]}: cannot be written to (Read-only file system", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(27)] // EFBIG, of ulimit -f
    [InlineData(28)] // ENOSPC
    [InlineData(122)] // EDQUOT
    public void Every_way_to_be_out_of_room_is_called_that(int error) => Assert.StartsWith(
        "disk: /m: No room, expected free space", ErrorPolicy.Line(new IOException("/m: No room", error)), StringComparison.Ordinal);

    // All whole, with their ids.
    private static string[] Bundles(string run) =>
        [.. Directory.EnumerateFiles(run, "manifest.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => $"{file} {Bundle.Verify(Path.GetDirectoryName(file)!).Id}")];

    private static void Save(string path)
    {
        using var scope = torch.NewDisposeScope();
        using var learner = new Learner(() => new ContinualModel(new Mlp(784, 100)), new LearnerOptions());
        learner.Learn(new Experience(0, Data.TensorSource.OfClasses(torch.rand(12, 784), [.. Enumerable.Range(0, 12).Select(i => (Data.Label)(i % 3))])));
        Bundle.Save(learner, path);
    }
}
