using System.Diagnostics;

namespace Engram.Cli.Commands.Bench;

/// <summary>This program again, as a process of its own.</summary>
internal static class OwnProgram
{
    /// <summary>How to start it, its streams redirected: as it was started, or beside what hosts it.</summary>
    /// <param name="arguments">Its arguments.</param>
    public static ProcessStartInfo With(IReadOnlyList<string> arguments)
    {
        var own = Environment.ProcessPath!;
        var isTool = Path.GetFileNameWithoutExtension(own) == "engram";
        var info = new ProcessStartInfo(isTool ? own : Path.GetFileNameWithoutExtension(own) == "dotnet" ? own : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!isTool) info.ArgumentList.Add(typeof(OwnProgram).Assembly.Location);
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        return info;
    }
}
