namespace Engram.Cli.Commands;

/// <summary>Where the data are: where the user says, or found upward from where we are or from where the tool is.</summary>
internal static class DataFolder
{
    private const string Marker = "train-images-idx3-ubyte";

    /// <summary>The folder of the MNIST files.</summary>
    /// <param name="asked">What the user gave, or null.</param>
    /// <param name="wrong">Makes the exception of a message, naming where the user gave it; null for <see cref="Wrong"/>.</param>
    /// <exception cref="UsageException">There is none.</exception>
    public static string Mnist(string? asked, Func<string, UsageException>? wrong = null)
    {
        wrong ??= Wrong;
        if (asked is not null) return Directory.Exists(asked) ? asked : throw wrong($"\"{asked}\" is no folder, expected one with the four MNIST files");
        return Find() ?? throw wrong("no folder data/mnist found here or above, expected the four MNIST files there or --data DIR");
    }

    /// <summary>The data are not where the command says, or nowhere.</summary>
    public static UsageException Wrong(string message) => new($"--data: {message}");

    /// <summary>The folder <c>data/mnist</c> nearest above the current or the tool's folder, or null.</summary>
    public static string? Find() => Above(Directory.GetCurrentDirectory()) ?? Above(AppContext.BaseDirectory);

    private static string? Above(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "data", "mnist");
            if (File.Exists(Path.Combine(candidate, Marker)) || File.Exists(Path.Combine(candidate, Marker + ".gz")))
                return candidate;
        }
        return null;
    }
}
