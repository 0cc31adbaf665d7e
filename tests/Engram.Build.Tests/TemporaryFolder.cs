namespace Engram.Build.Tests;

/// <summary>A folder that is gone when the test is.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("engram-build-").FullName;

    public string this[string name] => Path.Combine(_path, name);

    public string Write(string name, byte[] content)
    {
        File.WriteAllBytes(this[name], content);
        return this[name];
    }

    public IEnumerable<string> Names => Directory.EnumerateFiles(_path).Select(p => Path.GetFileName(p)).Order();

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
