using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Engram.Learning;

namespace Engram.Evaluation;

/// <summary>What a reader must know of the machine to judge numbers; never who or where it is.</summary>
public static class RunEnvironment
{
    /// <summary>Engram's version, with the commit it was built from where the build knew it.</summary>
    public static string EngramVersion { get; } =
        typeof(RunEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "unknown";

    /// <summary>
    /// Fingerprint of the source files that assemblies were built from and of the versions of packages: the same for the same code,
    /// committed or not, wherever it is built. Results are told apart by it, and state it.
    /// </summary>
    /// <param name="assemblies">Assemblies of Engram; any other counts by its version.</param>
    /// <returns>16 hexadecimal digits.</returns>
    public static string SourcesOf(params IReadOnlyList<Assembly> assemblies)
    {
        ArgumentNullException.ThrowIfNull(assemblies);
        var all = string.Join('\n', assemblies.Select(assembly => Sources(assembly) ?? assembly.GetName().Version?.ToString()));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..16];
    }

    /// <summary>Fingerprint of the library's own sources: they compute, and read the data sets that it has loaders for.</summary>
    public static string LibrarySources { get; } = SourcesOf(typeof(RunEnvironment).Assembly);

    /// <summary>Fingerprint of the sources of the library and, where a program of Engram runs it, of all that the program is made of.</summary>
    /// <remarks>Looks into every assembly of the program, so whoever asks for a version alone does not pay for it.</remarks>
    public static string ProgramSources => SourcesOf(Own());

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
        ["libtorch"] = TorchRuntime.KeepOffHiddenCaches() ? __version__ : $"{__version__} without oneDNN",
        ["Engram"] = EngramVersion,
        ["sources"] = ProgramSources,
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

    private static Assembly[] Own()
    {
        var library = typeof(RunEnvironment).Assembly;
        return Assembly.GetEntryAssembly() is not { } program || Sources(program) is null
            ? [library]
            : [program, .. program.GetReferencedAssemblies().Where(name => name.Name!.StartsWith("Engram", StringComparison.Ordinal))
                .OrderBy(name => name.Name, StringComparer.Ordinal).Select(Assembly.Load)];
    }

    // The hashes of its files, in an order of their own; null where it is none of Engram.
    private static string? Sources(Assembly assembly) =>
        assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(data => data.Key == "Sources")?.Value is { } hashes
            ? string.Join(' ', hashes.Split(' ').Order(StringComparer.Ordinal))
            : null;

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
