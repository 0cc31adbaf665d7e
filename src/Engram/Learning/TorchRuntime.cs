using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Engram.Learning;

/// <summary>How torch uses this machine. Call <see cref="Configure"/> before anything else touches torch.</summary>
public static partial class TorchRuntime
{
    // Longer than from one operation of a step to the next, shorter than a processor's time slice.
    private static readonly TimeSpan s_spinBeforeSleep = TimeSpan.FromMicroseconds(25);

    private static readonly Lazy<bool> s_usesOneDnn = new(ChooseKernels);

    /// <summary>Sets the number of threads, and lets idle threads sleep soon instead of spinning on.</summary>
    /// <param name="threads">Threads for one operation; null for torch's default, the number of cores.</param>
    /// <remarks>
    /// OpenMP's threads spin at every barrier by default, for milliseconds. Where other processes want the cores too, each
    /// operation then waits for a thread that is not running: measured on 2 busy cores, training an MLP is 20 to 50 times
    /// slower. Threads that sleep at once cost a wake-up in every operation: on 2 idle cores, a third of the speed. So they
    /// spin for 25 microseconds and then sleep. What the user set in the environment stays in force.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="threads"/> is less than 1.</exception>
    public static void Configure(int? threads = null)
    {
        if (threads is { } wanted) ArgumentOutOfRangeException.ThrowIfLessThan(wanted, 1, nameof(threads));
        // libgomp reads the C environment when it loads; .NET's own SetEnvironmentVariable does not change that one.
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
        {
            _ = SetEnv("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
            _ = SetEnv("GOMP_SPINCOUNT", $"{Spins(s_spinBeforeSleep)}", overwrite: 0);
        }
        KeepProductsTheSame();
        KeepOffTiles();
        KeepOffHiddenCaches();
        if (threads is { } count) set_num_threads(count);
    }

    // On Intel's processors MKL may round a product otherwise from one run to the next, as memory happens to lie, unless it is asked not to; training is to
    // give the same bits after a restart. It costs nothing that can be told from noise there; on other processors that was not measured.
    private static void KeepProductsTheSame()
    {
        if (OperatingSystem.IsLinux() && X86Base.IsSupported && Vendor(X86Base.CpuId) == "GenuineIntel")
            _ = SetEnv("MKL_CBWR", "AUTO", overwrite: 0);
    }

    /// <summary>Keeps products in bfloat16 from using AMX tiles. Call before the first of them.</summary>
    /// <remarks>
    /// Tiles make what the kernel saves at a signal larger than the stack on which .NET handles signals: on a thread that ever used them
    /// a <see cref="NullReferenceException"/> ends the process with SIGSEGV (seen with .NET 10.0.12 and libtorch's oneDNN on a processor
    /// with amx_bf16). AVX-512 serves instead; <c>ONEDNN_MAX_CPU_ISA</c> in the environment overrules.
    /// </remarks>
    internal static void KeepOffTiles()
    {
        if (OperatingSystem.IsLinux()) _ = SetEnv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_FP16", overwrite: 0);
    }

    /// <summary>Keeps oneDNN's blocks right where the machine hides the sizes of its caches, or does without oneDNN. Call before the first convolution.</summary>
    /// <remarks>
    /// Some virtual machines hide what CPUID tells of an AMD processor's caches, which oneDNN takes for caches of one byte. In blocks made for these a quarter of its
    /// convolutions are wrong without an error (seen with libtorch 2.10.0). <see cref="OneDnnCaches"/> corrects it; where it cannot, torch's own convolutions serve, right but
    /// slower. NNPACK is left out on such machines, since it wants to know the caches and says so on standard error at every call. On Linux alone.
    /// </remarks>
    /// <returns>Whether oneDNN is used.</returns>
    internal static bool KeepOffHiddenCaches() => s_usesOneDnn.Value;

    /// <summary>Whether an AMD processor, as this machine shows it, tells nothing of one of its caches.</summary>
    /// <param name="cpuid">Registers eax, ebx, ecx and edx of a leaf and a subleaf of CPUID.</param>
    internal static bool HidesCaches(Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuid)
    {
        const int Caches = unchecked((int)0x8000001D);
        if (Vendor(cpuid) != "AuthenticAMD") return false; // elsewhere oneDNN guesses well
        // Of data of level 1, level 2 and level 3: ways, partitions and bytes of a line, each less one.
        return new[] { 0, 2, 3 }.Any(cache => cpuid(Caches, cache).Ebx == 0);
    }

    private static string Vendor(Func<int, int, (int Eax, int Ebx, int Ecx, int Edx)> cpuid)
    {
        var (_, first, last, middle) = cpuid(0, 0);
        return Encoding.ASCII.GetString(MemoryMarshal.AsBytes<int>([first, middle, last]));
    }

    /// <summary>How often libgomp looks for work in this time. Between two looks it waits for one <c>pause</c>, whose length differs from processor to processor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // at its first call already it is measured as libgomp's loop runs
    internal static int Spins(TimeSpan time)
    {
        const int Usual = 1000, Pauses = 1000;
        if (!X86Base.IsSupported) return Usual;
        var least = TimeSpan.MaxValue; // of a few: others may take the core in between
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var began = Stopwatch.GetTimestamp();
            for (var i = 0; i < Pauses; i++) X86Base.Pause();
            var taken = Stopwatch.GetElapsedTime(began);
            if (taken < least) least = taken;
        }
        return (int)Math.Clamp(Pauses * (time / least), 100, 100_000);
    }

    private static bool ChooseKernels()
    {
        if (!OperatingSystem.IsLinux() || !X86Base.IsSupported || !HidesCaches(X86Base.CpuId)) return true;
        UseNnpack(GlobalContext(), false);
        if (OneDnnCaches.Forget()) return true;
        UseOneDnn(GlobalContext(), false);
        return false;
    }

    // TorchSharp has no call for these; they are torch.backends.mkldnn and torch.backends.nnpack in Python.
    [LibraryImport("libtorch_cpu", EntryPoint = "_ZN2at13globalContextEv")]
    private static partial nint GlobalContext();

    [LibraryImport("libtorch_cpu", EntryPoint = "_ZN2at7Context20setUserEnabledMkldnnEb")]
    private static partial void UseOneDnn(nint context, [MarshalAs(UnmanagedType.U1)] bool use);

    [LibraryImport("libtorch_cpu", EntryPoint = "_ZN2at7Context20setUserEnabledNNPACKEb")]
    private static partial void UseNnpack(nint context, [MarshalAs(UnmanagedType.U1)] bool use);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
