using System.Globalization;
using System.Text;
using Engram.Cli.Commands;
using Engram.Cli.Experiments;
using Engram.Tests.Fuzz;

namespace Engram.Cli.Tests;

/// <summary>Damaged and hostile experiment files: a usage error with a line, or a valid experiment; nothing else.</summary>
public class YamlFuzzTests
{
    [Fact]
    public void A_thousand_mutants_are_valid_or_refused() => Run(seed: 1, 1_000);

    /// <summary><c>ENGRAM_FUZZ=20000 dotnet test --project tests/Engram.Cli.Tests -- --explicit only --filter-class "*YamlFuzzTests"</c></summary>
    [Fact(Explicit = true)]
    public void As_many_mutants_as_asked_for_are_valid_or_refused() => Run(seed: 2, int.TryParse(
        Environment.GetEnvironmentVariable("ENGRAM_FUZZ"), CultureInfo.InvariantCulture, out var count) ? count : 20_000);

    private static void Run(int seed, int count)
    {
        ExperimentFileTests.Read(InitCommand.Template()); // what is made once is no mutant's doing
        var run = new FuzzRun(seed, () => [new YamlTarget()]);
        run.Run(0, count, TestContext.Current.CancellationToken);
        foreach (var line in run.Report()) TestContext.Current.TestOutputHelper!.WriteLine(line);
        Assert.True(run.Faults.Count == 0, string.Join('\n', run.Faults));
    }

    private sealed class YamlTarget() : FileTarget("yaml", 1, ".yaml")
    {
        private static readonly string[] s_pieces =
        [
            "null", "-1", "1e999", "NaN", "99999999999999999999", "&a", "*a", "!!binary", "{}", "[]", "? ", "- ", ": ", "\t", "|", ">",
            "---\n", "...\n", "'", "\"", "#", "%YAML 1.1\n", "strategies", "mechanisms", "ewc", "lambda", "kind", "rotated", "2000000000",
        ];

        private readonly byte[] _whole = Encoding.UTF8.GetBytes(InitCommand.Template());

        public override bool IsDocumented(Exception problem) =>
            problem is UsageException && problem.Message.Contains(".yaml", StringComparison.Ordinal);

        // Half are damaged as bytes, half have words of YAML put in.
        protected override byte[] Mutant(Mutator mutator)
        {
            if (mutator.Random.Next(2) == 0) return mutator.Damage(_whole);
            var text = Encoding.UTF8.GetString(_whole);
            for (var times = 1 + mutator.Random.Next(4); times > 0; times--)
            {
                var at = mutator.Random.Next(text.Length);
                var end = Math.Min(text.Length, at + mutator.Random.Next(12));
                text = text[..at] + mutator.OneOf(s_pieces) + text[end..];
            }
            return Encoding.UTF8.GetBytes(text);
        }

        protected override void Read(string path)
        {
            var file = ExperimentFile.Read(path);
            Assert.NotEmpty(file.Strategies);
            file.Training.Validate();
        }
    }
}
