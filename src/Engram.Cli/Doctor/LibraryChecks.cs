using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Engram.Build;
using Engram.Evaluation;
using TorchSharp;

namespace Engram.Cli.Doctor;

/// <summary>The native libraries: the C++ library, TorchSharp's shim, libtorch.</summary>
internal static class LibraryChecks
{
    private const string Shim = "libLibTorchSharp.so";

    /// <summary>The system's libstdc++ and whether the shim loads with it; nothing to say outside Linux.</summary>
    public static Check? CxxLibrary() => OperatingSystem.IsLinux() ? CxxLibrary(ShimPath(), SystemCxxLibrary.Find()) : null;

    /// <summary>The same for given files.</summary>
    public static Check CxxLibrary(string? shim, SystemCxxLibrary? system)
    {
        const string Name = "C++ library";
        var found = system is null ? $"no {SystemCxxLibrary.FileName}" : $"{system.Path}, up to {system.Highest ?? "nothing"}";
        if (system is null)
            return new Check(Name, CheckStatus.Failed, found, "install libstdc++ (Debian, Ubuntu: libstdc++6; Alpine's musl is not supported)");
        if (shim is null)
            return new Check(Name, CheckStatus.Failed, $"{found}; TorchSharp's {Shim} is missing",
                "build again with: dotnet build -c Release");
        var findings = TorchShim.Examine(File.ReadAllBytes(shim), system);
        return findings.State switch
        {
            ShimState.FitsAsItIs => new Check(Name, CheckStatus.Ok, $"{found}; TorchSharp's shim fits as it is"),
            ShimState.Marked => new Check(Name, CheckStatus.Ok,
                $"{found}; TorchSharp's shim was adapted by the build (its request for {TorchShim.SpareVersion} is weak)"),
            ShimState.NeedsMark => new Check(Name, CheckStatus.Failed, $"{found}; {findings.Message}",
                "build again with dotnet build -c Release: the build adapts the shim"),
            ShimState.CannotFit => new Check(Name, CheckStatus.Failed, $"{found}; {findings.Message}",
                "use a newer system (Debian 12, Ubuntu 22.04 or later) or install a newer libstdc++"),
            _ => new Check(Name, CheckStatus.Warning, $"{found}; {findings.Message}", "build again with: dotnet build -c Release"),
        };
    }

    /// <summary>Whether libtorch loads and computes.</summary>
    public static Check Libtorch() => Check.Of(
        "libtorch", "build again with dotnet build -c Release: it restores libtorch for this operating system", LoadLibtorch);

    /// <summary>What the program was built from, as results state it.</summary>
    public static Check Sources() => new("sources", CheckStatus.Ok, $"library {RunEnvironment.LibrarySources}, whole program {RunEnvironment.ProgramSources}");

    /// <summary>Threads that compute.</summary>
    public static Check Threads() => Check.Of("threads", "see libtorch", CountThreads);

    /// <summary>Graphics processors; none is needed.</summary>
    public static Check Cuda() => Check.Of("CUDA", "see libtorch", LookForCuda);

    // Not inlined: the runtime loads libtorch when it compiles the method that first touches it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Check LoadLibtorch()
    {
        using var ones = torch.ones(2, 2);
        using var sum = ones.sum();
        var right = sum.item<float>() == 4;
        return new Check(
            "libtorch", right ? CheckStatus.Ok : CheckStatus.Failed,
            $"libtorch {torch.__version__}, TorchSharp {RunEnvironment.TorchSharpVersion}"
            + (right ? ", loads and computes" : ", computes wrongly"),
            right ? null : "use another machine, or report this as a bug");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Check CountThreads() => new(
        "threads", CheckStatus.Ok, string.Create(CultureInfo.InvariantCulture,
            $"{torch.get_num_threads()} by default, {Environment.ProcessorCount} cores (--threads changes it)"));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Check LookForCuda() => torch.cuda.is_available()
        ? new Check("CUDA", CheckStatus.Ok, string.Create(CultureInfo.InvariantCulture,
            $"{torch.cuda.device_count()} device(s), not used by the experiments yet"))
        : new Check("CUDA", CheckStatus.Ok, "none, and none is needed");

    private static string? ShimPath()
    {
        var rid = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";
        string[] places =
        [
            Path.Combine(AppContext.BaseDirectory, "runtimes", rid, "native", Shim),
            Path.Combine(AppContext.BaseDirectory, Shim),
        ];
        return Array.Find(places, File.Exists);
    }
}
