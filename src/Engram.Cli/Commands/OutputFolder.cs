using System.Globalization;
using Engram.Persistence;

namespace Engram.Cli.Commands;

/// <summary>Where a run writes to, made sure of before hours are spent.</summary>
internal static class OutputFolder
{
    /// <summary>The folder of a run: the user's, or a new one named after the experiment and the time.</summary>
    public static string Of(string? asked, string experiment, TimeProvider clock)
    {
        if (asked is not null) return asked;
        var time = clock.GetLocalNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var name = Path.Combine("runs", $"{experiment}-{time}");
        var free = name;
        for (var number = 2; Directory.Exists(free); number++) free = $"{name}-{number}";
        return free;
    }

    /// <summary>Creates the folder and writes to it once.</summary>
    /// <exception cref="UsageException">It cannot be written to, or holds another run.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public static void Prepare(string folder)
    {
        if (File.Exists(Path.Combine(folder, RunSettings.FileName)))
            throw new UsageException(
                $"--out: \"{folder}\" holds an earlier run, expected a new or empty folder, or {RunCommand.ToResume(folder)}");
        RequireWritable(folder);
    }

    /// <summary>Creates a folder and writes to it once.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="field">What named it, for the message.</param>
    /// <exception cref="UsageException">It cannot be written to.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    public static void RequireWritable(string folder, string field = "--out")
    {
        if (WhyNotWritable(folder) is { } reason)
            throw new UsageException($"{field}: \"{folder}\" cannot be written to ({reason}), expected a folder that can");
    }

    /// <summary>Why a folder cannot be created or written to, or null. A full disk is no reason of the folder's.</summary>
    public static string? WhyNotWritable(string folder)
    {
        if (string.IsNullOrWhiteSpace(folder)) return "it has no name";
        try
        {
            AtomicFile.CreateFolder(folder);
            var probe = Path.Combine(folder, $".{Path.GetRandomFileName()}.tmp");
            try
            {
                File.WriteAllText(probe, "engram");
            }
            finally
            {
                File.Delete(probe);
            }
            return null;
        }
        catch (Exception problem) when (
            problem is IOException or UnauthorizedAccessException or ArgumentException && !ErrorPolicy.IsDiskFull(problem))
        {
            return problem.Message.Split('\n')[0].TrimEnd('.');
        }
    }
}
