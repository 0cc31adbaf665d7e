namespace Engram.Cli.Commands;

/// <summary>Where the data are: where the user says, or found upward from where we are or from where the tool is, or where a variable says.</summary>
internal static class DataFolder
{
    /// <summary>The environment variable that names a folder of data sets.</summary>
    public const string Variable = "ENGRAM_DATA";

    /// <summary>Where data that nobody named are looked for, for help.</summary>
    public const string Default = $"[default: found in data/ here or above, or in {Variable}]";

    /// <summary>Where data that nobody named are looked for, for messages.</summary>
    public const string Searched = $"in data/ here or above, or in the folder that {Variable} names";

    private const string Marker = "train-images-idx3-ubyte";

    /// <summary>The folder of the MNIST files.</summary>
    /// <param name="asked">What the user gave, or null.</param>
    /// <param name="wrong">Makes the exception of a message, naming where the user gave it; null for <see cref="Wrong(string)"/>.</param>
    /// <exception cref="UsageException">There is none.</exception>
    public static string Mnist(string? asked, Func<string, UsageException>? wrong = null)
    {
        wrong ??= Wrong;
        if (asked is not null) return Directory.Exists(asked) ? asked : throw wrong($"\"{asked}\" is no folder, expected one with the four MNIST files");
        return Find() ?? throw wrong($"no folder mnist found {Searched}, expected the four MNIST files there or --data DIR");
    }

    /// <summary>The data are not where the command says, or nowhere.</summary>
    public static UsageException Wrong(string message) => Wrong(message, null);

    /// <summary>The data are not as expected where the command says.</summary>
    public static UsageException Wrong(string message, Exception? inner) => new($"--data: {message}", inner);

    /// <summary>Reads data that the user named: what is wrong with them is wrong with the command.</summary>
    /// <param name="read">Reads them.</param>
    /// <param name="what">What the message begins with; it names the file itself.</param>
    /// <exception cref="UsageException">A file is missing or damaged.</exception>
    public static T Reading<T>(Func<T> read, string what = "")
    {
        try
        {
            return read();
        }
        catch (InvalidDataException problem)
        {
            throw new UsageException(what + problem.Message, problem);
        }
    }

    /// <summary>The first folder <c>mnist</c> of <see cref="Places()"/> with the files, or null.</summary>
    public static string? Find() => Mnist(Places());

    /// <summary>The first folder <c>mnist</c> of some places with the files, or null.</summary>
    public static string? Mnist(IEnumerable<string> places) => places.Select(place => Path.Combine(place, "mnist"))
        .FirstOrDefault(folder => File.Exists(Path.Combine(folder, Marker)) || File.Exists(Path.Combine(folder, Marker + ".gz")));

    /// <summary>The folders that may hold data sets, in the order in which they are looked at.</summary>
    public static IEnumerable<string> Places() =>
        Places(Directory.GetCurrentDirectory(), AppContext.BaseDirectory, Environment.GetEnvironmentVariable(Variable));

    /// <summary><c>data</c> in a folder and those above it, in the tool's and those above it, then the folder that the variable names.</summary>
    /// <param name="current">Where we are.</param>
    /// <param name="tool">Where the tool is.</param>
    /// <param name="variable">What <see cref="Variable"/> holds.</param>
    public static IEnumerable<string> Places(string current, string tool, string? variable) =>
        [.. Above(current), .. Above(tool), .. string.IsNullOrEmpty(variable) ? Array.Empty<string>() : [variable]];

    private static IEnumerable<string> Above(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent) yield return Path.Combine(folder.FullName, "data");
    }
}
