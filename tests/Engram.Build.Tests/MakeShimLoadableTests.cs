using System.Diagnostics;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Engram.Build.Tests;

public sealed class MakeShimLoadableTests : IDisposable
{
    private static readonly DateTime s_longAgo = new(2021, 3, 4, 5, 6, 7, DateTimeKind.Utc);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeBuildEngine _engine = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_copy_is_marked_and_keeps_its_time_mode_and_size()
    {
        string shim = WriteShim();
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(shim, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        Run(shim, system: 30);

        Assert.Equal(1, Differences(SyntheticElf.Shim(), File.ReadAllBytes(shim)));
        Assert.Equal(s_longAgo, File.GetLastWriteTimeUtc(shim));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(shim));
        }
        BuildMessageEventArgs message = Assert.Single(_engine.Messages);
        Assert.Equal(MessageImportance.Normal, message.Importance);
        Assert.Contains("shim.so: marked: it asks for GLIBCXX_3.4.32", message.Message);
        Assert.Empty(_engine.Warnings);
        Assert.Equal(["libstdc++.so.6", "shim.so"], _folder.Names);
    }

    [Fact]
    public void The_second_run_writes_nothing()
    {
        string shim = WriteShim();
        Run(shim, system: 30);
        byte[] first = File.ReadAllBytes(shim);
        File.SetLastWriteTimeUtc(shim, s_longAgo.AddDays(1));

        Run(shim, system: 30);

        Assert.Equal(first, File.ReadAllBytes(shim));
        Assert.Equal(s_longAgo.AddDays(1), File.GetLastWriteTimeUtc(shim));
        Assert.Contains("left alone: it asks for GLIBCXX_3.4.32 weakly already", _engine.Messages[^1].Message);
    }

    [Fact]
    public void A_newer_system_leaves_the_file_untouched()
    {
        string shim = WriteShim();

        Run(shim, system: 33);

        Assert.Equal(SyntheticElf.Shim(), File.ReadAllBytes(shim));
        Assert.Equal(s_longAgo, File.GetLastWriteTimeUtc(shim));
        Assert.Empty(_engine.Warnings);
    }

    [Fact]
    public void The_source_of_a_hard_link_is_not_changed()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Hard links are made with ln here.");
        string source = WriteShim("source.so");
        using (Process ln = Process.Start("ln", [source, _folder["shim.so"]])) ln.WaitForExit();

        Run(_folder["shim.so"], system: 30);

        Assert.Equal(SyntheticElf.Shim(), File.ReadAllBytes(source));
        Assert.Equal(1, Differences(SyntheticElf.Shim(), File.ReadAllBytes(_folder["shim.so"])));
    }

    [Fact]
    public void A_symbolic_link_becomes_a_file_of_its_own_with_the_time_of_its_target()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Symbolic links need rights on Windows.");
        string source = WriteShim("source.so");
        string shim = File.CreateSymbolicLink(_folder["shim.so"], source).FullName;

        Run(shim, system: 30);

        Assert.Null(File.ResolveLinkTarget(shim, returnFinalTarget: false));
        Assert.Equal(SyntheticElf.Shim(), File.ReadAllBytes(source));
        Assert.Equal(1, Differences(SyntheticElf.Shim(), File.ReadAllBytes(shim)));
        Assert.Equal(s_longAgo, File.GetLastWriteTimeUtc(shim));
    }

    [Fact]
    public void A_file_that_is_no_shim_is_left_alone_with_a_warning_and_the_build_goes_on()
    {
        string text = _folder.Write("shim.so", "not a library {0}"u8.ToArray());

        Run(text, system: 30);

        BuildWarningEventArgs warning = Assert.Single(_engine.Warnings);
        Assert.Equal("ENGRAM0001", warning.Code);
        Assert.EndsWith("shim.so: left alone: it is not an ELF file.", warning.Message);
        Assert.Equal("not a library {0}"u8.ToArray(), File.ReadAllBytes(text));
    }

    [Fact]
    public void A_shim_that_uses_the_version_is_left_alone_with_a_warning()
    {
        string shim = _folder.Write("shim.so", SyntheticElf.Shim(spareRelocated: true));

        Run(shim, system: 30);

        Assert.Contains("uses symbol_1", Assert.Single(_engine.Warnings).Message);
        Assert.Equal(SyntheticElf.Shim(spareRelocated: true), File.ReadAllBytes(shim));
    }

    [Fact]
    public void A_system_library_that_cannot_be_read_is_a_warning()
    {
        string shim = WriteShim();
        var task = new MakeShimLoadable
        {
            BuildEngine = _engine,
            Shims = [new TaskItem(shim)],
            LibStdCxx = _folder["nowhere.so"],
        };

        Assert.True(task.Execute());

        Assert.Contains("nowhere.so", Assert.Single(_engine.Warnings).Message);
        Assert.Equal(SyntheticElf.Shim(), File.ReadAllBytes(shim));
    }

    [Fact]
    public void A_copy_that_is_not_there_is_passed_over()
    {
        Run(_folder["missing.so"], system: 30);

        Assert.Empty(_engine.Messages);
        Assert.Empty(_engine.Warnings);
    }

    private string WriteShim(string name = "shim.so")
    {
        string path = _folder.Write(name, SyntheticElf.Shim());
        File.SetLastWriteTimeUtc(path, s_longAgo);
        return path;
    }

    private void Run(string shim, int system)
    {
        string library = _folder.Write("libstdc++.so.6", SyntheticElf.CxxLibrary(system));
        var task = new MakeShimLoadable { BuildEngine = _engine, Shims = [new TaskItem(shim)], LibStdCxx = library };
        Assert.True(task.Execute());
        Assert.Empty(_engine.Errors);
    }

    private static int Differences(byte[] a, byte[] b)
    {
        Assert.Equal(a.Length, b.Length);
        return Enumerable.Range(0, a.Length).Count(i => a[i] != b[i]);
    }
}
