namespace Engram.Cli.Tests;

public class HelpTests
{
    [Theory]
    [InlineData("--help", "engram run digits --quick")]
    [InlineData("run --help", "engram run digits")]
    [InlineData("run digits --help", "engram run digits --strategies naive,replay")]
    [InlineData("doctor --help", "engram doctor --json")]
    [InlineData("predict --help", "engram predict models/replay digits.csv --top 3")]
    [InlineData("inspect --help", "engram inspect models/replay --verify")]
    [InlineData("export --help", "engram export models/replay --out digits.onnx")]
    public void Every_help_has_examples(string line, string example)
    {
        var outcome = Terminal.Run(line.Split(' '));

        Assert.Equal(ExitCode.Success, outcome.Code);
        Assert.Contains("Usage:", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("engram", outcome.Out.Split("Usage:")[1].Split('\n')[1], StringComparison.Ordinal);
        Assert.Contains(example, outcome.Out.Split("Examples:")[1], StringComparison.Ordinal);
        Assert.Empty(outcome.Error);
    }

    [Fact]
    public void No_command_shows_help() => Assert.Contains("Examples:", Terminal.Run().Out, StringComparison.Ordinal);

    [Fact]
    public void The_version_is_one_line()
    {
        var outcome = Terminal.Run("--version");

        Assert.Equal(ExitCode.Success, outcome.Code);
        Assert.Matches(@"^engram \d+\.\d+\.\d+", Assert.Single(outcome.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }
}
