using Engram.Cli.Commands;
using Engram.Data;

namespace Engram.Cli.Doctor;

/// <summary>What is read and written: the data and the folder for runs.</summary>
internal static class FileChecks
{
    public static Check Data(string? asked)
    {
        const string Remedy = "fetch the repository whole (data/mnist is in it), or give the folder with --data DIR";
        if ((asked ?? DataFolder.Find()) is not { } folder)
            return new Check("data", CheckStatus.Failed, $"no folder mnist found {DataFolder.Searched}", Remedy);
        return Check.Of("data", Remedy, () =>
        {
            Mnist.Verify(folder);
            return new Check("data", CheckStatus.Ok, $"MNIST in {folder}, all four files with the right checksums");
        });
    }

    public static Check Output(string folder)
    {
        var existing = Path.GetFullPath(folder);
        // What does not exist yet is judged by where it would be made: a look should leave nothing behind.
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent && !File.Exists(existing))
            existing = parent;
        return OutputFolder.WhyNotWritable(existing) is { } reason
            ? new Check("output", CheckStatus.Failed, $"{folder} cannot be written to ({reason})",
                "go to a folder that can, or give one with --out DIR")
            : new Check("output", CheckStatus.Ok, $"{folder} can be written to");
    }
}
