from schema.answers import Located, Row, Where


def test_a_row_gives_each_answer_its_place_and_makes_places_only_when_asked() -> None:
    made: list[int] = []

    def place(index: int) -> Where:
        made.append(index)
        return Where("a.xlsx", f"入力!{'ABC'[index]}4")

    row = Row({"name": 0, "epochs": 2}, ("demo", "", "10"), place)
    assert (list(row), len(row), "name" in row, "sender" in row) == (["name", "epochs"], 2, True, False)
    assert made == []
    assert row["epochs"] == Located("10", Where("a.xlsx", "入力!C4"))
    assert row.get("nothing") is None
    assert made == [2]
