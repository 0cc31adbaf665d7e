using Engram.Evaluation;
using Engram.Reporting;

namespace Engram.Cli.Commands;

/// <summary>What a finished run left in its folder.</summary>
internal static class RunFolder
{
    /// <summary>Reads a run's results.</summary>
    /// <exception cref="UsageException">There are none, or the file is damaged; the message names it.</exception>
    public static RunResults Results(string folder)
    {
        var file = Path.Combine(folder, ReportWriter.ResultsFile);
        if (!File.Exists(file))
            throw new UsageException($"RUN: \"{folder}\" holds no {ReportWriter.ResultsFile}, expected the folder of a run");
        try
        {
            return RunResults.FromJson(File.ReadAllText(file));
        }
        catch (FormatException problem)
        {
            throw new UsageException($"RUN: {file}: damaged ({problem.Message}), expected results as a run wrote them", problem);
        }
    }
}
