using CsCheck;

namespace Engram.Build.Tests;

public class TorchShimTests
{
    private static readonly SystemCxxLibrary s_old = new("old", Versions(30));
    private static readonly SystemCxxLibrary s_new = new("new", Versions(33));

    [Fact]
    public void A_version_that_nothing_refers_to_is_to_be_marked_on_an_older_system()
    {
        ShimFindings findings = TorchShim.Examine(SyntheticElf.Shim(), s_old);

        Assert.Equal(ShimState.NeedsMark, findings.State);
        Assert.Equal(
            "it asks for GLIBCXX_3.4.32 but uses nothing of it, and old goes up to GLIBCXX_3.4.30.", findings.Message);
    }

    [Fact]
    public void Marking_changes_one_bit_of_one_byte()
    {
        byte[] file = SyntheticElf.Shim();
        VersionNeed need = TorchShim.Examine(file, s_old).Need!;

        byte[] marked = ElfVersionNeeds.MarkWeak(file, need);

        int changed = Assert.Single(Enumerable.Range(0, file.Length), i => file[i] != marked[i]);
        Assert.Equal((byte)(file[changed] | 0x2), marked[changed]);
        Assert.Equal(ShimState.Marked, TorchShim.Examine(marked, s_old).State);
        VersionNeed weak = Assert.Single(ElfVersionNeeds.Read(ElfImage.Read(marked)).All, n => n.IsWeak);
        Assert.Equal("GLIBCXX_3.4.32", weak.Version);
    }

    [Fact]
    public void A_system_that_is_new_enough_needs_no_mark()
    {
        ShimFindings findings = TorchShim.Examine(SyntheticElf.Shim(), s_new);

        Assert.Equal((ShimState.FitsAsItIs, "new has GLIBCXX_3.4.32."), (findings.State, findings.Message));
    }

    [Fact]
    public void A_version_in_use_is_refused_by_the_name_of_its_symbol()
    {
        ShimFindings findings = TorchShim.Examine(SyntheticElf.Shim(spareRelocated: true), s_old);

        Assert.Equal(ShimState.CannotFit, findings.State);
        Assert.Contains("uses symbol_1 of GLIBCXX_3.4.32, which old lacks", findings.Message);
    }

    [Fact]
    public void A_system_that_lacks_more_than_the_spare_version_is_told_so()
    {
        ShimFindings findings = TorchShim.Examine(SyntheticElf.Shim(), new SystemCxxLibrary("rhel9", Versions(29)));

        Assert.Equal(ShimState.CannotFit, findings.State);
        Assert.Contains("needs GLIBCXX_3.4.30, but rhel9 goes up to GLIBCXX_3.4.29", findings.Message);
    }

    [Fact]
    public void The_same_version_of_another_library_is_no_concern()
    {
        byte[] file = SyntheticElf.Build([new("GLIBCXX_3.4.32", Library: "libother.so")], []);

        Assert.Equal(ShimState.FitsAsItIs, TorchShim.Examine(file, s_old).State);
    }

    [Fact]
    public void A_file_without_the_entry_is_left_alone()
    {
        byte[] file = SyntheticElf.Build([new("GLIBCXX_3.4.30", true)], []);

        ShimFindings findings = TorchShim.Examine(file, s_old);

        Assert.Equal(ShimState.FitsAsItIs, findings.State);
        Assert.Equal("it does not ask for GLIBCXX_3.4.32.", findings.Message);
    }

    [Fact]
    public void Without_a_system_library_nothing_is_decided()
    {
        ShimFindings findings = TorchShim.Examine(SyntheticElf.Shim(), null);

        Assert.Equal(ShimState.Unknown, findings.State);
        Assert.Contains("no libstdc++.so.6", findings.Message);
    }

    [Theory]
    [InlineData(0, 0, "not an ELF file")]
    [InlineData(4, 1, "not a 64-bit ELF file")]
    [InlineData(5, 2, "not a little-endian ELF file")]
    [InlineData(0x3A, 40, "section headers have a foreign size")]
    [InlineData(0x3C, 0, "no section headers")]
    [InlineData(0x3C, 250, "section header table lies outside the file")]
    public void A_foreign_file_is_left_alone_with_its_reason(int at, byte value, string reason)
    {
        byte[] file = SyntheticElf.Shim();
        file[at] = value;

        ShimFindings findings = TorchShim.Examine(file, s_old);

        Assert.Equal(ShimState.Unknown, findings.State);
        Assert.Contains(reason, findings.Message);
    }

    [Fact]
    public void A_truncated_file_is_left_alone()
    {
        byte[] file = SyntheticElf.Shim();

        for (int length = 0; length < file.Length; length += 97)
            Assert.Equal(ShimState.Unknown, TorchShim.Examine(file.AsMemory(0, length), s_old).State);
        Assert.Equal(ShimState.Unknown, TorchShim.Examine(file.AsMemory(0, file.Length - 1), s_old).State);
    }

    [Fact]
    public void Random_damage_never_throws_and_never_marks_more_than_a_weak_bit()
    {
        byte[] file = SyntheticElf.Shim();
        Gen<(int, byte)[]> damage = Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte).Array[1, 8];

        damage.Sample(changes =>
        {
            byte[] damaged = [.. file];
            foreach ((int at, byte value) in changes) damaged[at] = value;

            ShimFindings findings = TorchShim.Examine(damaged, s_old);

            if (findings.State != ShimState.NeedsMark) return;
            byte[] marked = ElfVersionNeeds.MarkWeak(damaged, findings.Need!);
            int changed = Assert.Single(Enumerable.Range(0, marked.Length), i => marked[i] != damaged[i]);
            Assert.Equal(damaged[changed] | 0x2, marked[changed]);
        }, iter: 20_000);
    }

    private static List<string> Versions(int last) =>
        [.. Enumerable.Range(1, last).Select(n => $"GLIBCXX_3.4.{n}"), "CXXABI_1.3"];
}
