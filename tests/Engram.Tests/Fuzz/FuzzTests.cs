using System.Diagnostics;
using System.Globalization;

namespace Engram.Tests.Fuzz;

/// <summary>Damaged and hostile files: clean errors, no crash, no hang, no blow-up, no half-loaded model, no leak.</summary>
public class FuzzTests
{
    [Fact]
    public void Six_thousand_mutants_of_all_formats_load_whole_or_are_refused() => Run(seed: 1, 0, 6_000);

    /// <summary>
    /// <c>ENGRAM_FUZZ=100000 dotnet test --project tests/Engram.Tests -- --explicit only --filter-class "*FuzzTests"</c>;
    /// <c>ENGRAM_FUZZ_SEED</c> chooses others, <c>ENGRAM_FUZZ_FIRST</c> the number to begin with, to see one again.
    /// </summary>
    [Fact(Explicit = true)]
    public void As_many_mutants_as_asked_for_load_whole_or_are_refused() => Run(Number("ENGRAM_FUZZ_SEED", 2), Number("ENGRAM_FUZZ_FIRST", 0), Number("ENGRAM_FUZZ", 100_000));

    private static void Run(int seed, int first, int count)
    {
        var (run, start) = (new FuzzRun(seed, FuzzTargets.All), Stopwatch.GetTimestamp());
        try
        {
            run.Run(first, count, TestContext.Current.CancellationToken);
        }
        finally
        {
            foreach (var line in run.Report()) TestContext.Current.TestOutputHelper!.WriteLine(line);
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s; resident memory grew by at most {run.MostResident >> 20} MB in one mutant");
        }
        Assert.True(run.Faults.Count == 0, string.Join('\n', run.Faults));
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
