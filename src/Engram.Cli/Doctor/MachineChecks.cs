using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Engram.Evaluation;

namespace Engram.Cli.Doctor;

/// <summary>The machine: operating system, processor.</summary>
internal static class MachineChecks
{
    public static Check OperatingSystem()
    {
        var (os, architecture) = (RuntimeInformation.OSDescription, RuntimeInformation.ProcessArchitecture);
        var supported = (System.OperatingSystem.IsLinux() && architecture == Architecture.X64)
            || (System.OperatingSystem.IsWindows() && architecture == Architecture.X64)
            || (System.OperatingSystem.IsMacOS() && architecture == Architecture.Arm64);
        return new Check(
            "operating system", supported ? CheckStatus.Ok : CheckStatus.Failed,
            $"{os}, {architecture}, .NET {Environment.Version}",
            supported ? null : "use Linux x64, Windows x64 or macOS arm64: libtorch is published for these");
    }

    public static Check Processor()
    {
        var flags = Flags();
        (string Name, bool Has)[] features =
        [
            ("AVX2", Avx2.IsSupported),
            ("AVX-512", Avx512F.IsSupported),
            ("bf16", flags.Contains("avx512_bf16") || flags.Contains("amx_bf16")),
        ];
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return new Check("processor", CheckStatus.Ok, $"{RunEnvironment.Processor()}; AVX does not apply");
        if (flags.Count == 0) features = features[..^1]; // only Linux tells of bf16
        var has = features.Where(feature => feature.Has).Select(feature => feature.Name).ToArray();
        var lacks = features.Where(feature => !feature.Has).Select(feature => feature.Name).ToArray();
        var words = (has.Length > 0 ? $"has {string.Join(", ", has)}" : "")
            + (has.Length > 0 && lacks.Length > 0 ? "; " : "")
            + (lacks.Length > 0 ? $"lacks {string.Join(", ", lacks)}" : "");
        var slow = !Avx2.IsSupported;
        return new Check(
            "processor", slow ? CheckStatus.Warning : CheckStatus.Ok, $"{RunEnvironment.Processor()}; {words}",
            slow ? "training works but is several times slower; use a processor (or a virtual machine's setting) with AVX2" : null);
    }

    private static HashSet<string> Flags()
    {
        try
        {
            if (!File.Exists("/proc/cpuinfo")) return [];
            var line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal));
            return line is null ? [] : [.. line.Split(' ')];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
