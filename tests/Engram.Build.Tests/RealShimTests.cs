using System.Reflection;

namespace Engram.Build.Tests;

/// <summary>TorchSharp's own file, as the machine's package cache has it.</summary>
public class RealShimTests
{
    private static readonly SystemCxxLibrary s_debian12 = new(
        "debian12",
        [
            .. Enumerable.Range(1, 30).Select(n => $"GLIBCXX_3.4.{n}"), "GLIBCXX_3.4",
            .. Enumerable.Range(1, 13).Select(n => $"CXXABI_1.3.{n}"), "CXXABI_1.3",
        ]);

    [Fact]
    public void The_real_shim_does_not_use_the_version_and_one_byte_makes_it_fit()
    {
        byte[] shim = ReadShim();

        ShimFindings findings = TorchShim.Examine(shim, s_debian12);
        byte[] marked = ElfVersionNeeds.MarkWeak(shim, findings.Need!);

        Assert.Equal(ShimState.NeedsMark, findings.State);
        int changed = Assert.Single(Enumerable.Range(0, shim.Length), i => shim[i] != marked[i]);
        Assert.Equal((0, 2), (shim[changed], marked[changed]));
        Assert.Equal(ShimState.Marked, TorchShim.Examine(marked, s_debian12).State);
    }

    [Fact]
    public void The_real_shim_uses_a_version_that_the_base_of_rhel_9_lacks()
    {
        var rhel9 = new SystemCxxLibrary("rhel9", [.. s_debian12.Versions.Where(v => v != "GLIBCXX_3.4.30")]);

        ShimFindings findings = TorchShim.Examine(ReadShim(), rhel9);

        Assert.Equal(ShimState.CannotFit, findings.State);
        Assert.Contains("GLIBCXX_3.4.30", findings.Message);
        ElfVersionNeeds needs = ElfVersionNeeds.Read(ElfImage.Read(ReadShim()));
        VersionNeed need = Assert.Single(needs.All, n => n.Version == "GLIBCXX_3.4.30");
        Assert.StartsWith("_ZNSt18condition_variable4wait", needs.FindRelocatedSymbol(need));
    }

    [Fact]
    public void The_real_shim_truncated_anywhere_is_left_alone()
    {
        byte[] shim = ReadShim();

        for (int length = 0; length < shim.Length; length += 97)
            Assert.Equal(ShimState.Unknown, TorchShim.Examine(shim.AsMemory(0, length), s_debian12).State);
    }

    private static byte[] ReadShim()
    {
        string? cache = typeof(RealShimTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "PackageCache").Value;
        string path = Path.Combine(
            cache ?? "", "torchsharp", "0.107.0", "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        if (!File.Exists(path)) Assert.Skip("TorchSharp 0.107.0 is not in this machine's package cache.");
        return File.ReadAllBytes(path);
    }
}
