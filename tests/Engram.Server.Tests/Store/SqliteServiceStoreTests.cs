using Engram.Server.Store;

namespace Engram.Server.Tests.Store;

/// <summary>The store that is a SQLite file in a folder, and what is particular to one.</summary>
public sealed class SqliteServiceStoreTests : ServiceStoreTests
{
    private protected override IServiceStore Open() => new SqliteServiceStore(Options);

    [Fact]
    public void A_folder_in_use_is_refused()
    {
        Assert.Empty(Store.ReadLearners());

        var problem = Assert.Throws<IOException>(Open);

        Assert.Contains("another service uses this folder", problem.Message, StringComparison.Ordinal);
    }
}
