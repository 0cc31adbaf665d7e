using Engram.Persistence;

namespace Engram.Reporting.Tests;

public sealed class AtomicFileTests
{
    [Fact]
    public void A_writer_that_fails_leaves_the_old_file_and_no_temporary_one()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("report.html");
        File.WriteAllText(path, "old");

        Assert.Throws<IOException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write("half of the ne"u8);
            throw new IOException("disk full");
        }));

        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Until_the_writer_is_done_readers_see_the_old_file()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("results.json");
        File.WriteAllText(path, "old");
        string? seen = null;

        AtomicFile.Write(path, stream =>
        {
            stream.Write("new"u8);
            stream.Flush();
            seen = File.ReadAllText(path);
            Assert.Matches(@"results\.json\..+\.tmp$", Directory.GetFiles(folder.Path).Single(file => file != path));
        });

        Assert.Equal("old", seen);
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_missing_folder_is_an_error()
    {
        using var folder = new TemporaryFolder();

        Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.Write(folder.File("no/such/file"), _ => { }));
    }
}
