using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server.Tests.Store;

/// <summary>What every engine behind <see cref="IServiceStore"/> has to do.</summary>
public abstract class ServiceStoreTests : IAsyncDisposable
{
    private static readonly DateTimeOffset s_start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly LearnerSpecification s_digits = new() { Name = "digits", Input = new InputSchema { Kind = InputKind.Vector, Size = 3 } };
    private IServiceStore? _opened;

    private protected ServiceOptions Options { get; } = new() { Folder = Directory.CreateTempSubdirectory("engram-service-").FullName };

    private protected IServiceStore Store => _opened ??= Open();

    /// <summary>Opens the store over what <see cref="Options"/> name.</summary>
    private protected abstract IServiceStore Open();

    [Fact]
    public async Task Learners_keys_and_the_audit_log_outlive_the_service()
    {
        await Store.WriteLearnerAsync(s_digits, s_start, paused: true);
        await Store.WriteKeyAsync(Key("a1"));
        await Store.AuditAsync(new AuditEntry(s_start, "shop", "digits", "learner.create", "3 numbers", "a try"));
        await Store.AuditAsync(new AuditEntry(s_start, "shop", null, "key.create", "a1", null));
        await CloseAsync();

        var (kept, created, paused) = Assert.Single(Store.ReadLearners());
        Assert.Equal((3, s_start, true), (kept.Input.Size, created, paused));
        Assert.Equal(Role.Predict, Assert.Single(Assert.Single(Store.ReadKeys()).Info.Roles));
        Assert.Equal(["key.create", "learner.create"], Store.ReadAudit(null, 10).Select(entry => entry.Action));
        Assert.Equal("a try", Assert.Single(Store.ReadAudit("digits", 10)).Reason);
        Assert.True(await Store.DeleteKeyAsync("a1"));
        Assert.False(await Store.DeleteKeyAsync("a1"));
    }

    [Fact]
    public async Task A_pause_is_of_one_learner_and_not_of_another_that_had_its_name()
    {
        await Store.WriteLearnerAsync(s_digits, s_start, paused: false);

        await Store.WritePausedAsync("digits", s_start.AddSeconds(-1), paused: true);
        Assert.False(Assert.Single(Store.ReadLearners()).Paused);
        await Store.WritePausedAsync("digits", s_start, paused: true);
        Assert.True(Assert.Single(Store.ReadLearners()).Paused);
    }

    [Fact]
    public async Task A_learner_takes_keys_that_are_bound_to_it_alone_with_it_and_leaves_its_audit_log()
    {
        await Store.WriteLearnerAsync(s_digits, s_start, paused: false);
        await Store.AuditAsync(new AuditEntry(s_start, "shop", "digits", "learner.create", "3 numbers", null));
        foreach (var key in (StoredKey[])[Key("all"), Key("own", "digits"), Key("both", "digits", "letters")]) await Store.WriteKeyAsync(key);

        Assert.Equal(["own"], await Store.DeleteLearnerAsync("digits"));

        Assert.Empty(Store.ReadLearners());
        Assert.Equal([("all", ""), ("both", "letters")], Store.ReadKeys().Select(key => (key.Info.Id, string.Join(' ', key.Info.Learners))).Order());
        Assert.Single(Store.ReadAudit("digits", 10));
    }

    [Fact]
    public async Task Learners_keep_their_feedback_apart()
    {
        await using (var digits = Store.OpenLearner("digits", 10))
        await using (var letters = Store.OpenLearner("letters", 10))
        {
            await digits.AppendAsync([new FeedbackEntry { At = s_start, Input = [1], Label = "7" }], default);
            Assert.Equal((1, 0), (digits.LastSequence, letters.LastSequence));
        }
        await using var again = Store.OpenLearner("digits", 10);
        Assert.Equal("7", Assert.Single(again.ReadSamples(0, 10, 10, heldOut: false)).Label);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(Options.Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected async Task CloseAsync()
    {
        if (_opened is not null) await _opened.DisposeAsync();
        _opened = null;
    }

    private static StoredKey Key(string id, params string[] learners) =>
        new(new KeyInfo { Id = id, Name = id, Roles = [Role.Predict], Learners = learners, Created = s_start }, [1], [2]);
}
