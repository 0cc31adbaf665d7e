using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Tests.Store;

public sealed class ServiceStoreTests : IDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly ServiceOptions _options = new() { Folder = Directory.CreateTempSubdirectory("engram-service-").FullName };

    [Fact]
    public async Task Learners_keys_and_the_audit_log_outlive_the_service()
    {
        var specification = new LearnerSpecification { Name = "digits", Input = new InputSchema { Kind = InputKind.Vector, Size = 3 } };
        var key = new StoredKey(new KeyInfo { Id = "a1", Name = "shop", Roles = [Role.Predict], Created = s_start }, [1], [2]);
        await using (var store = new SqliteServiceStore(_options))
        {
            await store.WriteLearnerAsync(specification, s_start, paused: true);
            await store.WriteKeyAsync(key);
            await store.AuditAsync(new AuditEntry(s_start, "shop", "digits", "learner.create", "3 numbers", "a try"));
            await store.AuditAsync(new AuditEntry(s_start, "shop", null, "key.create", "a1", null));
        }
        await using (var store = new SqliteServiceStore(_options))
        {
            var (kept, created, paused) = Assert.Single(store.ReadLearners());
            Assert.Equal((3, s_start, true), (kept.Input.Size, created, paused));
            Assert.Equal(Role.Predict, Assert.Single(Assert.Single(store.ReadKeys()).Info.Roles));
            Assert.Equal(["key.create", "learner.create"], store.ReadAudit(null, 10).Select(entry => entry.Action));
            Assert.Equal("a try", Assert.Single(store.ReadAudit("digits", 10)).Reason);
            Assert.True(await store.DeleteKeyAsync("a1"));
            Assert.False(await store.DeleteKeyAsync("a1"));
        }
    }

    [Fact]
    public async Task A_folder_in_use_is_refused()
    {
        await using var store = new SqliteServiceStore(_options);

        var problem = Assert.Throws<IOException>(() => new SqliteServiceStore(_options));

        Assert.Contains("another service uses this folder", problem.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_options.Folder, recursive: true);
}
