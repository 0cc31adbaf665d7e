using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Engram.Evaluation;

/// <summary>What a reader must know of the machine to judge numbers; never who or where it is.</summary>
public static class RunEnvironment
{
    /// <summary>Engram's version, with the commit it was built from where the build knew it.</summary>
    public static string EngramVersion { get; } =
        typeof(RunEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "unknown";

    /// <summary>
    /// Fingerprint of the source files that an assembly was built from and of the versions of packages: the same for the same code,
    /// committed or not, wherever it is built. Results are told apart by it.
    /// </summary>
    /// <param name="assembly">An assembly of Engram; for any other its version.</param>
    public static string SourcesOf(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        return assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(data => data.Key == "Sources")?.Value
            ?? assembly.GetName().Version?.ToString() ?? "unknown";
    }

    /// <summary>TorchSharp's version; reading it loads no native library.</summary>
    public static string TorchSharpVersion { get; } =
        typeof(torch).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            .Split('+')[0] ?? "unknown";

    /// <summary>Name and value of everything that bears on results and timings. Loads libtorch.</summary>
    public static IReadOnlyDictionary<string, string> Describe() => new Dictionary<string, string>
    {
        ["operating system"] = $"{RuntimeInformation.OSDescription} ({RuntimeInformation.OSArchitecture})",
        ["processor"] = Processor(),
        ["cores"] = Number(Environment.ProcessorCount),
        ["threads"] = Number(get_num_threads()),
        [".NET"] = Environment.Version.ToString(),
        ["TorchSharp"] = TorchSharpVersion,
        ["libtorch"] = __version__,
        ["Engram"] = EngramVersion,
    };

    /// <summary>The processor's model name, or its architecture where the system does not tell.</summary>
    public static string Processor()
    {
        try
        {
            const string Key = "model name";
            if (File.Exists("/proc/cpuinfo"))
                foreach (var line in File.ReadLines("/proc/cpuinfo"))
                    if (line.StartsWith(Key, StringComparison.Ordinal) && line.IndexOf(':') is > 0 and var colon)
                        return line[(colon + 1)..].Trim();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The name of the processor is not worth a failed run.
        }
        return RuntimeInformation.ProcessArchitecture.ToString();
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
