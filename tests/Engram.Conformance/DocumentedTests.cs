using System.Text.RegularExpressions;
using Engram.Retention;
using Engram.Tests;

namespace Engram.Conformance;

/// <summary>What every mechanism owes to those who read about it and set its options. The suite finds mechanisms by itself.</summary>
public class DocumentedTests
{
    public static TheoryData<Type> MechanismTypes =>
        [.. typeof(RetentionMechanism).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(RetentionMechanism)) && !t.IsAbstract)];

    [Theory, MemberData(nameof(MechanismTypes))]
    public void Every_mechanism_is_public_and_part_of_a_strategy(Type mechanism)
    {
        Assert.True(mechanism.IsPublic, $"{mechanism} is not exported");
        var created = Strategies.All.SelectMany(strategy => strategy.Create(new StrategyBudget(30) { GeneratorWidths = [16] }));
        Assert.Contains(created, mechanism.IsInstanceOfType);
    }

    [Fact]
    public void Every_choice_that_an_option_offers_is_made_in_some_case()
    {
        var mechanisms = Cases.All.SelectMany(strategy => Cases.Mechanisms(strategy)).ToArray();
        var missing = new List<string>();
        foreach (var type in MechanismKind.All.Select(kind => kind.OptionsType).OfType<Type>().Distinct())
        {
            var made = mechanisms.Select(mechanism => Cases.OptionsOf(mechanism, type)).OfType<object>().ToArray();
            foreach (var property in type.GetProperties())
            {
                var choices = property.PropertyType == typeof(bool) ? [false, true]
                    : property.PropertyType.IsEnum ? Enum.GetValues(property.PropertyType).Cast<object>().ToArray() : [];
                missing.AddRange(choices.Where(choice => !made.Any(options => property.GetValue(options)!.Equals(choice)))
                    .Select(choice => $"{type.Name}.{property.Name} {choice}"));
            }
        }
        foreach (var mechanism in mechanisms) mechanism.Dispose();
        Assert.Empty(missing);
    }

    public static TheoryData<string> StrategyNames => [.. Strategies.All.Select(strategy => strategy.Name)];

    [Theory, MemberData(nameof(StrategyNames))]
    public void Every_part_of_a_strategy_has_a_method_card_that_names_it(string name)
    {
        var titles = Directory.GetFiles(Cards, "*.md").Select(path => File.ReadLines(path).First()).ToArray();
        foreach (var part in name.Trim('+').Split('+', StringSplitOptions.RemoveEmptyEntries))
            Assert.Contains(titles, title => title.Contains($"`{part}`", StringComparison.Ordinal)
                || title.Contains($"`{name}`", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_method_card_says_what_it_is_for_when_it_fails_what_it_costs_its_paper_what_was_measured_and_verified()
    {
        foreach (var path in Directory.GetFiles(Cards, "*.md").Where(path => Path.GetFileName(path) != "README.md"))
        {
            var card = File.ReadAllText(path);
            foreach (var part in new[] { "For", "Fails|When it fails", "Cost|Costs", "Papers?", "Measured", "Verified" })
                Assert.True(Regex.IsMatch(card, $@"\*\*({part})\b"), $"{Path.GetFileName(path)}: no **{part}**");
            var measured = Regex.Match(card, @"\*\*Measured\b.*?(?=\n\*\*|\z)", RegexOptions.Singleline).Value;
            Assert.True(Regex.IsMatch(measured, @"\b0\.\d{2}|\d\.\d+ ?(%|±)"), $"{Path.GetFileName(path)}: **Measured** without a result in numbers");
        }
    }

    [Fact]
    public void Every_option_of_every_mechanism_is_on_a_card_of_it()
    {
        var cards = Directory.GetFiles(Cards, "*.md").ToDictionary(path => Path.GetFileName(path), File.ReadAllText);
        // Mechanisms that share options may share the table, and a card may send its readers on to another.
        foreach (var kinds in MechanismKind.All.Where(kind => kind.OptionsType is not null).GroupBy(kind => kind.OptionsType!))
        {
            var own = cards.Values.Where(card => kinds.Any(kind => card.Split('\n')[0].Contains($"`{kind.Name}`", StringComparison.Ordinal))).ToArray();
            var linked = own.SelectMany(card => Regex.Matches(card, @"\]\(([a-z0-9-]+\.md)\)").Select(link => cards[link.Groups[1].Value]));
            foreach (var option in kinds.Key.GetProperties().Where(property => property.CanWrite))
                Assert.True(own.Concat(linked).Any(card => card.Contains($"`{option.Name}`", StringComparison.Ordinal)),
                    $"{kinds.First().Name}: `{option.Name}` is on no card");
        }
    }

    [Fact]
    public void Every_combination_that_the_guide_names_is_a_strategy_and_every_strategy_of_several_parts_is_in_the_guide()
    {
        var guide = File.ReadAllText(Path.Combine(TestData.Root, "docs", "guides", "choosing-a-mechanism.md"));
        var table = guide.Split("## Combining mechanisms")[1].Split("\n## ")[0];
        var named = table.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)
            .SelectMany(line => Regex.Matches(line.Split('|')[2], "`([^`]+)`").Select(match => match.Groups[1].Value)).ToArray();
        foreach (var name in named) Strategies.Named(name);
        Assert.Equal(
            Strategies.All.Where(strategy => strategy.Create(new StrategyBudget()).Count > 1).Select(strategy => strategy.Name).Order(),
            named.Order());
    }

    private static string Cards => Path.Combine(TestData.Root, "docs", "methods");

    [Theory, MemberData(nameof(Numbers))]
    public void Numbers_out_of_range_are_refused_by_option_value_and_expectation(string mechanism, string option)
    {
        var kind = MechanismKind.Named(mechanism);
        var property = kind.OptionsType!.GetProperty(option)!;
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        object[] bad = type == typeof(double) ? [-1.0, double.NaN, double.PositiveInfinity] : [-1];
        if (type == typeof(int) && option is "Capacity" or "PerExperience" or "PerGroup" or "BatchSize") bad = [.. bad, 0];
        foreach (var value in bad)
        {
            var options = Activator.CreateInstance(kind.OptionsType!)!;
            property.SetValue(options, value);
            var refusal = Assert.Throws<ArgumentException>(() => kind.Create(options));
            Assert.StartsWith($"{option}: {value}, expected ", refusal.Message, StringComparison.Ordinal);
        }
    }

    public static TheoryData<string, string> Numbers =>
    [
        .. MechanismKind.All.Where(kind => kind.OptionsType is not null).SelectMany(kind => kind.OptionsType!.GetProperties()
            .Where(property => (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) is var type
                && (type == typeof(double) || type == typeof(int)) && property.CanWrite)
            .Select(property => (kind.Name, property.Name))),
    ];
}
