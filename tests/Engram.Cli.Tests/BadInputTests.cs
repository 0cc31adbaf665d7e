using Engram.Cli.Commands;
using Engram.Tests.Persistence;

namespace Engram.Cli.Tests;

public class BadInputTests
{
    [Theory]
    [InlineData("run mnist", "run: \"mnist\"", "digits")]
    [InlineData("rum", "command: \"rum\"", "run, init, bench, tune, compare, report")]
    [InlineData("run", "run: nothing chosen", "digits")]
    [InlineData("run digits --fast", "option: \"--fast\"", "--quick")]
    [InlineData("run digits extra", "argument: \"extra\"", "options only")]
    [InlineData("run digits --epochs 0", "--epochs: \"0\"", "from 1")]
    [InlineData("run digits --epochs x", "--epochs: \"x\"", "a whole number")]
    [InlineData("run digits --epochs", "--epochs: no value", "expected N")]
    [InlineData("run digits --epochs 1 --epochs 2", "--epochs: 2 values", "expected one")]
    [InlineData("run digits --epochs 99999999999999999999", "--epochs: \"99999999999999999999\"", "a whole number")]
    [InlineData("run digits --seed -1", "--seed: \"-1\"", "0 or more")]
    [InlineData("run digits --threads 0", "--threads: \"0\"", "from 1")]
    [InlineData("run digits --strategies naive,magic", "--strategies: \"magic\"", "replay")]
    [InlineData("run digits --strategies naive,naive", "--strategies: \"naive\" occurs 2 times", "once")]
    [InlineData("run digits --strategies ,", "--strategies: \"\"", "replay")]
    [InlineData("run digits --out /proc/none/x", "--out: \"/proc/none/x\"", "expected a folder")]
    public void A_wrong_command_gives_one_line_that_names_field_and_value_and_exit_code_2(
        string line, string names, string expected)
    {
        var outcome = Terminal.Run(line.Split(' '));

        Assert.Equal(ExitCode.Usage, outcome.Code);
        var said = Assert.Single(outcome.ErrorLines);
        Assert.Contains(names, said, StringComparison.Ordinal);
        Assert.Contains("expected", said, StringComparison.Ordinal);
        Assert.Contains(expected, said, StringComparison.Ordinal);
        Assert.Empty(outcome.Out);
    }

    [Fact]
    public void An_output_folder_below_a_file_is_refused_before_training()
    {
        using var folder = new Folder();
        File.WriteAllText(folder["file"], "");

        var outcome = Terminal.Run("run", "digits", "--out", folder["file/run"]);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains("--out", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_data_folder_a_missing_file_and_a_truncated_file_are_named()
    {
        using var folder = new Folder();
        foreach (var file in Directory.GetFiles(DataFolder.Find()!)) File.Copy(file, folder[Path.GetFileName(file)]);
        var images = folder["train-images-idx3-ubyte.gz"];
        using (var stream = File.OpenWrite(images)) stream.SetLength(100_000);

        var truncated = Terminal.Run("run", "digits", "--data", folder.Path, "--out", folder["run"]);
        File.Delete(images);
        var missing = Terminal.Run("run", "digits", "--data", folder.Path, "--out", folder["run"]);
        var none = Terminal.Run("run", "digits", "--data", folder["nowhere"], "--out", folder["run"]);

        foreach (var (outcome, name) in new[] { (truncated, images), (missing, images), (none, "--data") })
        {
            Assert.Equal(ExitCode.Usage, outcome.Code);
            Assert.Contains(name, Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        }
        Assert.Contains("truncated", truncated.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["run"]), "nothing is written when there is nothing to learn from");
    }

    [Fact]
    public void Verbose_shows_where_it_went_wrong()
    {
        var outcome = Terminal.Run("run", "digits", "--strategies", "magic", "--verbose");

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains("   at Engram.", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_that_is_full_before_the_run_fails_in_one_line_and_leaves_nothing()
    {
        using var disk = SmallDisk.OrSkip();
        Directory.CreateDirectory(disk["run"]);
        disk.Fill();

        var outcome = Terminal.Run("run", "digits", "--quick", "--strategies", "naive", "--out", disk["run"]);

        Assert.Equal(ExitCode.Failure, outcome.Code);
        Assert.StartsWith("engram: disk: ", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(disk["run"]));
    }

    [Fact]
    public void A_folder_with_an_earlier_run_is_refused_and_stays_as_it_is()
    {
        using var folder = new Folder();
        Directory.CreateDirectory(folder["run"]);
        File.WriteAllText(folder["run/settings.json"], "earlier");

        var outcome = Terminal.Run("run", "digits", "--quick", "--out", folder["run"]);

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains("holds an earlier run", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("earlier", File.ReadAllText(folder["run/settings.json"]));
    }

    [Fact]
    public void A_value_for_a_switch_names_the_switch()
    {
        var outcome = Terminal.Run("run", "digits", "--quick=maybe");

        Assert.Equal(ExitCode.Usage, outcome.Code);
        Assert.Contains("--quick: \"maybe\"", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_is_called_that()
    {
        const int NoSpace = 28;

        var line = ErrorPolicy.Line(new IOException("No space left on device : '/runs/results.json'", NoSpace));

        Assert.StartsWith("disk: No space left", line, StringComparison.Ordinal);
        Assert.Contains("expected free space", line, StringComparison.Ordinal);
        // A bundle says first what was not saved.
        var full = new IOException("No space left on device", NoSpace);
        Assert.StartsWith("disk: /models: not saved", ErrorPolicy.Line(new IOException("/models: not saved (No space left on device)", full)), StringComparison.Ordinal);
        Assert.StartsWith("file: ", ErrorPolicy.Line(new IOException("not saved", new IOException("Permission denied", 13))), StringComparison.Ordinal);
    }
}
