using Engram.Cli.Experiments;

namespace Engram.Cli.Tests;

public class ExperimentTextTests
{
    private const string Text = """
        # mine
        name: a                     # λ und 漢字
        training:
          optimizer: { kind: adam, learningRate: 0.001 }   # rate
        memory: 50
        tune:
          method: grid
          vary:
            memory: [1, 2]

        # the end
        strategies:
          - name: "quoted"
            mechanisms:
              - ewc: { lambda: 100 }
              - replay
        seed: 3
        """;

    [Fact]
    public void Values_are_replaced_where_they_stand_and_all_else_stays()
    {
        var changed = new ExperimentText("x", Text).With(new Dictionary<string, string>
        {
            ["training.optimizer.learningRate"] = "1E-05",
            ["strategies[0].mechanisms[0].ewc.lambda"] = "3",
            ["strategies[0].mechanisms[1]"] = "ewc",
            ["strategies[0].name"] = "b: c",
            ["seed"] = "12345",
        });
        Assert.Equal(
            Text.Replace("0.001", "1E-05", StringComparison.Ordinal).Replace("100", "3", StringComparison.Ordinal)
                .Replace("- replay", "- ewc", StringComparison.Ordinal).Replace("\"quoted\"", "\"b: c\"", StringComparison.Ordinal)
                .Replace("seed: 3", "seed: 12345", StringComparison.Ordinal),
            changed.Text);
        Assert.Equal("12345", changed.ValueAt("seed", message => new UsageException(message)).Value);
    }

    [Fact]
    public void A_section_goes_and_all_else_stays()
    {
        var without = new ExperimentText("x", Text).Without("tune").Text;
        Assert.DoesNotContain("vary", without, StringComparison.Ordinal);
        Assert.Equal(Text[..Text.IndexOf("tune:", StringComparison.Ordinal)], without[..Text.IndexOf("tune:", StringComparison.Ordinal)]);
        Assert.Equal(["name", "training", "memory", "strategies", "seed"], new ExperimentText("x", without).Top.Keys);
        Assert.Contains("# the end", without, StringComparison.Ordinal);
        Assert.Equal("memory: 1", new ExperimentText("x", "memory: 1\ntune: { vary: { memory: [1] } }").Without("tune").Text);
    }

    [Theory]
    [InlineData("memories", "memories")]
    [InlineData("strategies[1].name", "strategies[1].name")]
    [InlineData("strategies[0].mechanisms[0].ewc", "keys with values")]
    [InlineData("tune.vary.memory", "a list")]
    [InlineData("memory[0]", "memory[0]")]
    public void A_key_without_a_single_value_is_refused(string key, string said) =>
        Assert.Contains(said, Assert.Throws<UsageException>(() =>
            new ExperimentText("x", Text).ValueAt(key, message => new UsageException(message))).Message, StringComparison.Ordinal);

    [Fact]
    public void Line_ends_of_other_systems_stay_too()
    {
        var windows = "name: a\r\nmemory: 50\r\nseed: 3\r\n";
        Assert.Equal("name: a\r\nmemory: 7\r\nseed: 3\r\n", new ExperimentText("x", windows).With(new Dictionary<string, string> { ["memory"] = "7" }).Text);
    }
}
