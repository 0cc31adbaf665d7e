using CsCheck;

namespace Engram.Build.Tests;

public class SystemCxxLibraryTests
{
    [Fact]
    public void The_highest_version_is_so_by_number_and_not_by_alphabet()
    {
        using var folder = new TemporaryFolder();

        SystemCxxLibrary library = SystemCxxLibrary.Read(folder.Write("any.so", SyntheticElf.CxxLibrary(30)));

        Assert.Equal("GLIBCXX_3.4.30", library.Highest);
        Assert.True(library.Defines("GLIBCXX_3.4.9"));
        Assert.False(library.Defines("GLIBCXX_3.4.32"));
    }

    [Fact]
    public void A_folder_without_a_readable_library_is_passed_over()
    {
        using TemporaryFolder empty = new(), foreign = new(), right = new();
        foreign.Write(SystemCxxLibrary.FileName, [0x7f, (byte)'E', (byte)'L', (byte)'F', 1]);
        string expected = right.Write(SystemCxxLibrary.FileName, SyntheticElf.CxxLibrary(33));

        SystemCxxLibrary? found = SystemCxxLibrary.Find([empty[""], foreign[""], right[""]]);

        Assert.Equal((expected, "GLIBCXX_3.4.33"), (found?.Path, found?.Highest));
        Assert.Null(SystemCxxLibrary.Find([empty[""], foreign[""]]));
    }

    [Fact]
    public void A_library_that_defines_nothing_has_no_highest_version()
    {
        using var folder = new TemporaryFolder();

        Assert.Null(SystemCxxLibrary.Read(folder.Write("any.so", SyntheticElf.Build([], []))).Highest);
    }

    [Fact]
    public void This_systems_own_library_is_found()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Only Linux has a libstdc++.so.6.");
        SystemCxxLibrary? library = SystemCxxLibrary.Find();
        if (library is null) Assert.Skip("This system has no libstdc++.so.6 in the usual folders.");

        Assert.StartsWith("GLIBCXX_3.4.", library.Highest);
        Assert.True(library.Defines("GLIBCXX_3.4"));
    }

    [Fact]
    public void Random_damage_is_a_bad_image_or_no_problem_at_all()
    {
        byte[] file = SyntheticElf.CxxLibrary(30);

        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte).Array[1, 8].Sample(changes =>
        {
            byte[] damaged = [.. file];
            foreach ((int at, byte value) in changes) damaged[at] = value;
            try
            {
                ElfVersionDefinitions.Read(ElfImage.Read(damaged));
            }
            catch (BadImageFormatException)
            {
                // The one exception that callers expect.
            }
        }, iter: 20_000);
    }
}
